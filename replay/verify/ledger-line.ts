import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseIdentity } from '../../schemas/identity.js';
import { compileOnUse } from '../../schemas/validate.js';
import { type LedgerEntry, LedgerEntrySchema } from '../../schemas/verification.js';
import { ByteHash } from './byte-hash.js';

const check = compileOnUse<LedgerEntry>(LedgerEntrySchema, 'LEDGER_INVALID', 'the line');

/** What the fingerprint of a claim is about. */
export const CLAIM = { id: 1, subject: 2 } as const;

const hash = new ByteHash();
const idMark = (id: string): number => hash.reset(CLAIM.id).addText(id).value;
const subjectMark = (subject: string): number => hash.reset(CLAIM.subject).addText(subject).value;

const invalid = (line: number, why: string): Fault =>
  fault('LEDGER_INVALID', `line ${line} of the ledger: ${why}`);

export const parseEntry = (text: string, line: number): Either<Fault, LedgerEntry> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return left(invalid(line, `it is no JSON: ${(error as Error).message}`));
  }
  const entry = check(value);
  if (isLeft(entry)) return left(invalid(line, entry.left.message));
  if ('id' in entry.right && parseIdentity(entry.right.id) === undefined)
    return left(invalid(line, `${JSON.stringify(entry.right.id)} is no Tally-Id`));
  return entry;
};

/** What a producer of numbered records writes, all in one form: most lines of most ledgers. */
const USUAL = /^\{"id":"([A-Za-z0-9_~.-]{1,170})","seq":([1-9]\d{0,14})\}$/;

/** The claims of a line, one or two; LEDGER_INVALID with the number of the line. */
export const claimsOf = (
  text: string,
  line: number,
  add: (seq: number, mark: number) => void,
): Fault | undefined => {
  const usual = USUAL.exec(text);
  if (usual !== null && parseIdentity(usual[1] as string) !== undefined) {
    add(Number(usual[2]), idMark(usual[1] as string));
    return undefined;
  }
  const entry = parseEntry(text, line);
  if (isLeft(entry)) return entry.left;
  const { seq } = entry.right;
  if ('id' in entry.right) add(seq, idMark(entry.right.id));
  if (entry.right.subject !== undefined) add(seq, subjectMark(entry.right.subject));
  return undefined;
};

export const entryText = (entry: LedgerEntry): string => ('id' in entry ? entry.id : entry.subject);

export const readEntry = (text: string, line: number): LedgerEntry | undefined => {
  const entry = parseEntry(text, line);
  return isLeft(entry) ? undefined : entry.right;
};
