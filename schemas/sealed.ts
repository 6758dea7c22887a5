import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { isDeeperThan, MAX_STORED_DEPTH } from './json-depth.js';
import { behindValue, rootOf, type Slice } from './json-scan.js';
import { eachItem, eachMember, type FindHidden, isJson } from './mask-json.js';
import { expanded, hasMark, isHidden, itemSpots, memberSpots, type Spot, spotsOf } from './mask-spots.js';
import { hasSealed, SEALED_NAME, sealedObject, type SealText } from './sealed-value.js';
import type { JsonSchema } from './validate.js';

const [OPEN_OBJECT, OPEN_LIST] = [123, 91];

/**
 * Finds what is to be sealed: each value that a schema marks. Also each value that no schema describes, and each one
 * whose schema has a mark deeper than the value goes. A payload that does not fit its schema hides no text this way.
 */
const findSealable =
  (spots: readonly Spot[]): FindHidden =>
  (bytes, from, cuts) => {
    const here = expanded(spots);
    const cut = (at: number): number => {
      const to = behindValue(bytes, at);
      cuts.push({ from: at, to });
      return to;
    };
    const inner = (found: readonly Spot[], at: number): number =>
      found.length === 0 ? cut(at) : findSealable(found)(bytes, at, cuts);
    if (here.length === 0 || isHidden(here)) return cut(from);
    if (bytes[from] === OPEN_OBJECT)
      return eachMember(bytes, from, (name, at) => inner(memberSpots(here, name), at));
    if (bytes[from] === OPEN_LIST)
      return eachItem(bytes, from, (index, at) => inner(itemSpots(here, index), at));
    return here.some(({ schema }) => hasMark(schema)) ? cut(from) : behindValue(bytes, from);
  };

/** What is no JSON, or too deep to look into, is sealed as a whole. */
const sealable = (bytes: Uint8Array, schemas: readonly JsonSchema[]): readonly Slice[] => {
  if (bytes.length === 0) return [];
  if (isDeeperThan(bytes, MAX_STORED_DEPTH) || !isJson(bytes)) return [{ from: 0, to: bytes.length }];
  const cuts: Slice[] = [];
  findSealable(spotsOf(schemas))(bytes, rootOf(bytes).from, cuts);
  return cuts;
};

const reserved = (): Fault =>
  fault('PAYLOAD_INVALID', `a member is named ${SEALED_NAME}, which is reserved for encrypted values`);

/**
 * The payload with a sealed object in the place of each value that the schema marks or does not describe; all other
 * bytes stay. PAYLOAD_INVALID if they have a sealed value already: `open` must open nothing that another wrote.
 */
export const seal = (
  bytes: Uint8Array,
  schema: JsonSchema | undefined,
  text: SealText,
): E.Either<Fault, Uint8Array> => {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { from, to } of schema === undefined ? [] : sealable(bytes, [schema])) {
    const plain = bytes.subarray(at, from);
    if (hasSealed(plain)) return E.left(reserved());
    parts.push(plain, sealedObject(text(bytes.subarray(from, to))));
    at = to;
  }
  const rest = bytes.subarray(at);
  if (hasSealed(rest)) return E.left(reserved());
  return E.right(parts.length === 0 ? bytes : Buffer.concat([...parts, rest]));
};

/** All of the bytes as one sealed value. */
export const sealWhole = (bytes: Uint8Array, text: SealText): Uint8Array => sealedObject(text(bytes));
