import type { Seeded } from '../support/seeded.js';
import type { World } from './world.js';

/** Who sends an input: without a credential, with the operator's, or with that of a module that gave it away. */
export type Principal = 'guest' | 'operator' | 'module';

/** One message with a reply subject. Its length fields are right, so the connection can be used again. */
export interface RequestInput {
  readonly type: 'request';
  readonly kind: string;
  readonly as: Principal;
  /** Bytes, one a character; no blank and no line break. */
  readonly subject: string;
  /** The header part of the message; without it, the message has none. */
  readonly headers?: Buffer;
  readonly payload: Buffer;
  /** Whether the protocol promises an answer. Without one, silence is a finding. */
  readonly promised: boolean;
}

/** Bytes for a connection of its own, which the server may close. */
export interface ScriptInput {
  readonly type: 'script';
  readonly kind: string;
  /** Each is one write to the socket. */
  readonly writes: readonly Buffer[];
}

/** Something that takes several steps, such as a directory that is written and then loaded. */
export interface ActionInput {
  readonly type: 'action';
  readonly kind: string;
  /** What is done, for the text of a finding. */
  readonly text: string;
  /** What was wrong; undefined when nothing was. */
  readonly run: (world: World) => Promise<string | undefined>;
}

export type Input = RequestInput | ScriptInput | ActionInput;

/** What a generator may know of the log, so that some numbers mean something. */
export interface Known {
  /** A sequence that is probably in the log. */
  readonly lastSeq: number;
}

/** Makes the input of one index from numbers that come again with the same seed. */
export type Family = (random: Seeded, known: Known) => Input;

const SHOWN = 500;

const shown = (bytes: Buffer): string => {
  const text = JSON.stringify(bytes.subarray(0, SHOWN).toString('latin1'));
  return bytes.length > SHOWN ? `${text} … (${bytes.length} bytes)` : text;
};

/** An input in one line; bytes as characters of the same number. */
export const inputText = (input: Input): string => {
  switch (input.type) {
    case 'request': {
      const headers = input.headers === undefined ? '' : ` headers ${shown(input.headers)}`;
      const subject = shown(Buffer.from(input.subject, 'latin1'));
      return `${input.kind}: ${input.as} to ${subject}${headers} payload ${shown(input.payload)}`;
    }
    case 'script':
      return `${input.kind}: ${shown(Buffer.concat(input.writes))}`;
    case 'action':
      return `${input.kind}: ${input.text}`;
  }
};
