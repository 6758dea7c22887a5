/** A list or an object in the making, and the next item to write. */
interface Open {
  readonly keys: readonly string[] | undefined;
  readonly values: readonly unknown[];
  at: number;
}

const openOf = (value: object): Open =>
  Array.isArray(value)
    ? { keys: undefined, values: value, at: 0 }
    : { keys: Object.keys(value), values: Object.values(value), at: 0 };

const isOpened = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** On one line, without recursion. */
const writeDeep = (root: unknown): string => {
  const parts: string[] = [];
  const open: Open[] = [];
  const put = (value: unknown): void => {
    if (!isOpened(value)) {
      parts.push(JSON.stringify(value) ?? 'null');
      return;
    }
    open.push(openOf(value));
    parts.push(Array.isArray(value) ? '[' : '{');
  };
  put(root);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { keys, values, at } = top;
    if (at === values.length) {
      parts.push(keys === undefined ? ']' : '}');
      open.pop();
      continue;
    }
    if (at > 0) parts.push(',');
    if (keys !== undefined) parts.push(JSON.stringify(keys[at]), ':');
    top.at += 1;
    put(values[at]);
  }
  return parts.join('');
};

/**
 * A JSON value without circles, as JSON.stringify writes it, on one line or several. A value that is nested deeper
 * than the stack of JSON.stringify is written on one line.
 */
export const writeJson = (value: unknown, onLines = false): string => {
  try {
    return JSON.stringify(value, null, onLines ? 2 : 0) ?? 'null';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return writeDeep(value);
  }
};
