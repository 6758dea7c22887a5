import { PRODUCER_PATTERN } from './names.js';

/**
 * `<producer>.<epoch>.<n>`: the producer of a record, its epoch, and the record's number in it (from 1, without a
 * gap).
 */
export interface Identity {
  readonly producer: string;
  /** Sequence of the producer's epoch record. */
  readonly epoch: number;
  readonly n: number;
}

/** The header of an identity: `producer.epoch.n`. */
export const formatIdentity = ({ producer, epoch, n }: Identity): string => `${producer}.${epoch}.${n}`;

const IDENTITY = new RegExp(`^(${PRODUCER_PATTERN})\\.([1-9]\\d{0,15})\\.([1-9]\\d{0,15})$`);

/** The identity that a header has; undefined if it has none. */
export const parseIdentity = (text: string): Identity | undefined => {
  const match = IDENTITY.exec(text);
  const epoch = parseSequence(match?.[2] ?? '');
  const n = parseSequence(match?.[3] ?? '');
  return epoch === undefined || n === undefined ? undefined : { producer: match?.[1] as string, epoch, n };
};

/** `<i>/<n>`: copy i of the n that one outcome carries. */
export interface Part {
  readonly i: number;
  readonly n: number;
}

/** The header of a part of an outcome: `i/n`. */
export const formatPart = ({ i, n }: Part): string => `${i}/${n}`;

const PART = /^([1-9]\d{0,8})\/([1-9]\d{0,8})$/;

/** The part that a header has; undefined if it has none. */
export const parsePart = (text: string): Part | undefined => {
  const match = PART.exec(text);
  if (match === null) return undefined;
  const part = { i: Number(match[1]), n: Number(match[2]) };
  return part.i <= part.n ? part : undefined;
};

/** The identity of a copy: the same for each epoch that publishes it. */
export const copyId = (cause: number, i: number): string => `${cause}/${i}`;

const SEQUENCE = /^[1-9]\d{0,15}$/;

/** A stream sequence from a header; undefined if the text is none. */
export const parseSequence = (text: string): number | undefined =>
  // Sixteen digits can exceed the exact range of a double, so two numbers would become one.
  SEQUENCE.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
