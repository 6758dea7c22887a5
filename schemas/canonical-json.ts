const [QUOTE, COMMA, COLON] = [34, 44, 58];
const [OPEN_LIST, BACKSLASH, CLOSE_LIST] = [91, 92, 93];
const [OPEN_OBJECT, CLOSE_OBJECT] = [123, 125];
const BLANK = 32;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * An exponent with more digits stays as it is written: its arithmetic would be slow, and no sender means such a
 * number.
 */
const MAX_EXPONENT_DIGITS = 15;

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** One form of each number, without loss: digits without zeros at either end, and the power of ten. */
const canonicalNumber = (text: string): string => {
  // The form of most numbers.
  if (text.length < 16 && /^-?[1-9]\d*$/.test(text) && !text.endsWith('0')) return text;
  const [, sign = '', whole = '', fraction = '', power = '0'] = NUMBER.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  if (digits === '') return '0';
  if (power.length > MAX_EXPONENT_DIGITS) return text;
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 48) end -= 1;
  const exponent = Number(power) - fraction.length + digits.length - end;
  return `${sign}${digits.slice(0, end)}${exponent === 0 ? '' : `e${exponent}`}`;
};

/** An object or a list that is not closed yet. */
interface Open {
  /** Undefined for a list. */
  readonly members: Map<string, string> | undefined;
  name: string;
  items: string;
}

const closed = ({ members, items }: Open): string => {
  if (members === undefined) return `[${items}]`;
  let text = '';
  for (const name of [...members.keys()].sort()) {
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${members.get(name)}`;
  }
  return `{${text}}`;
};

const scan = (text: string): string => {
  const open: Open[] = [];
  let result = '';
  let isName = false;
  let at = 0;
  const put = (value: string): void => {
    const top = open.at(-1);
    if (top === undefined) result = value;
    else if (top.members !== undefined) top.members.set(top.name, value);
    else top.items = top.items === '' ? value : `${top.items},${value}`;
  };
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code <= BLANK || code === COLON) at += 1;
    else if (code === COMMA) {
      isName = open.at(-1)?.members !== undefined;
      at += 1;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      isName = code === OPEN_OBJECT;
      open.push({ members: isName ? new Map() : undefined, name: '', items: '' });
      at += 1;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      put(closed(open.pop() as Open));
      at += 1;
    } else if (code === QUOTE) {
      const from = at;
      at += 1;
      while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
      at += 1;
      const value = JSON.parse(text.slice(from, at)) as string;
      if (isName) {
        (open.at(-1) as Open).name = value;
        isName = false;
      } else put(JSON.stringify(value));
    } else {
      const from = at;
      while (at < text.length && !',]} \t\n\r'.includes(text[at] as string)) at += 1;
      const word = text.slice(from, at);
      put(word === 'true' || word === 'false' || word === 'null' ? word : canonicalNumber(word));
    }
  }
  return result;
};

/**
 * One text for all texts of the same JSON value: without blanks, with keys in the order of their UTF-16 units, with
 * the last of duplicated keys, with escapes only where JSON.stringify sets them. Each number is its digits without
 * zeros at either end and the power of ten (`1.50` is `15e-1`, `1000` is `1e3`). No number loses a digit, however
 * long it is. An empty payload is `{}`, as everywhere. Undefined for bytes that are not JSON or not UTF-8.
 */
export const canonicalJson = (bytes: Uint8Array): string | undefined => {
  if (bytes.length === 0) return '{}';
  try {
    const text = decoder.decode(bytes);
    JSON.parse(text);
    return scan(text);
  } catch {
    return undefined;
  }
};

const isSame = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
};

/** Whether two payloads have the same bytes or the same JSON value. */
export const isSamePayload = (a: Uint8Array, b: Uint8Array): boolean => {
  if (isSame(a, b)) return true;
  const canonical = canonicalJson(a);
  return canonical !== undefined && canonical === canonicalJson(b);
};
