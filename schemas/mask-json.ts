import { behindBlanks, behindText, behindValue, rootOf, type Slice, textAt } from './json-scan.js';
import { isDeeperThan, MAX_STORED_DEPTH } from './json-depth.js';
import { isSealedValue } from './sealed-value.js';
import { expanded, isHidden, itemSpots, memberSpots, type Spot } from './mask-spots.js';

/** In the place of a hidden value. */
export const HIDDEN = '(sensitive)';
const HIDDEN_BYTES = new TextEncoder().encode(JSON.stringify(HIDDEN));

const [OPEN_OBJECT, OPEN_LIST, COMMA, QUOTE] = [123, 91, 44, 34];

/** Finds the hidden parts of a value that begins at a place. */
export type FindHidden = (bytes: Uint8Array, from: number, cuts: Slice[]) => number;

/** Goes through the members of an object: `child` says where the value ends. Duplicated names are all visited. */
export const eachMember = (
  bytes: Uint8Array,
  from: number,
  child: (name: string, at: number) => number,
): number => {
  let at = behindBlanks(bytes, from + 1);
  while (bytes[at] === QUOTE) {
    const nameTo = behindText(bytes, at);
    const name = textAt(bytes, { from: at, to: nameTo }) ?? '';
    at = behindBlanks(bytes, child(name, behindBlanks(bytes, behindBlanks(bytes, nameTo) + 1)));
    if (bytes[at] !== COMMA) break;
    at = behindBlanks(bytes, at + 1);
  }
  return at + 1;
};

/** The same of the items of a list. */
export const eachItem = (
  bytes: Uint8Array,
  from: number,
  child: (index: number, at: number) => number,
): number => {
  const first = behindBlanks(bytes, from + 1);
  const CLOSE_LIST = 93;
  if (bytes[first] === CLOSE_LIST) return first + 1;
  let at = first;
  for (let index = 0; ; index++) {
    at = behindBlanks(bytes, child(index, at));
    if (bytes[at] !== COMMA) return at + 1;
    at = behindBlanks(bytes, at + 1);
  }
};

/** By the schemas of a value. */
export const findHidden =
  (spots: readonly Spot[]): FindHidden =>
  (bytes, from, cuts) => {
    const here = expanded(spots);
    if (here.length === 0) return behindValue(bytes, from);
    if (isHidden(here)) {
      const to = behindValue(bytes, from);
      cuts.push({ from, to });
      return to;
    }
    switch (bytes[from]) {
      case OPEN_OBJECT:
        return eachMember(bytes, from, (name, at) => findHidden(memberSpots(here, name))(bytes, at, cuts));
      case OPEN_LIST:
        return eachItem(bytes, from, (index, at) => findHidden(itemSpots(here, index))(bytes, at, cuts));
      default:
        return behindValue(bytes, from);
    }
  };

/** Whether the bytes are JSON in UTF-8. */
export const isJson = (bytes: Uint8Array): boolean => {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
};

/**
 * The payload with {@link HIDDEN} in the place of each hidden value; all other bytes stay. What is no JSON, or too deep
 * to look into, is hidden as a whole (`hidesOdd`): nobody can tell what is where in it.
 */
export const maskBytes = (bytes: Uint8Array, find: FindHidden, hidesOdd = true): Uint8Array => {
  if (bytes.length === 0) return bytes;
  if (isDeeperThan(bytes, MAX_STORED_DEPTH) || !isJson(bytes)) return hidesOdd ? HIDDEN_BYTES : bytes;
  const found: Slice[] = [];
  find(bytes, rootOf(bytes).from, found);
  // An encrypted value hides itself, and what is shown in its place says more.
  const cuts = found.filter(({ from, to }) => !isSealedValue(bytes.subarray(from, to)));
  if (cuts.length === 0) return bytes;
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { from, to } of cuts) {
    parts.push(bytes.subarray(at, from), HIDDEN_BYTES);
    at = to;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
};
