import { PRODUCER_PATTERN } from './names.js';

/** `<producer>.<epoch>.<n>`: who wrote a record, under which epoch, as which of its records (n from 1, gap-free). */
export interface Identity {
  readonly producer: string;
  /** Sequence of the producer's epoch record. */
  readonly epoch: number;
  readonly n: number;
}

export const formatIdentity = ({ producer, epoch, n }: Identity): string => `${producer}.${epoch}.${n}`;

const IDENTITY = new RegExp(`^(${PRODUCER_PATTERN})\\.([1-9]\\d{0,15})\\.([1-9]\\d{0,15})$`);

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

export const formatPart = ({ i, n }: Part): string => `${i}/${n}`;

const PART = /^([1-9]\d{0,8})\/([1-9]\d{0,8})$/;

export const parsePart = (text: string): Part | undefined => {
  const match = PART.exec(text);
  if (match === null) return undefined;
  const part = { i: Number(match[1]), n: Number(match[2]) };
  return part.i <= part.n ? part : undefined;
};

/** The identity of a copy: the same whichever epoch publishes it. */
export const copyId = (cause: number, i: number): string => `${cause}/${i}`;

const SEQUENCE = /^[1-9]\d{0,15}$/;

/** A stream sequence as headers carry it; undefined when it is none. */
export const parseSequence = (text: string): number | undefined =>
  // Sixteen digits can lie above what a double holds, where one number would be read as another.
  SEQUENCE.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
