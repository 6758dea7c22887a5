import Type, { type Static } from 'typebox';
import { parseSequence } from './identity.js';

/** The subject on which a sender restarts a command: `restart.<sequence>`. */
export const restartRequestSubject = (command: number): string => `restart.${command}`;

/** The most operations of a handler that a restart keeps: their sequences stand in one header. */
export const MAX_KEPT = 2_000;

const Sequence = Type.Integer({ minimum: 1 });

const From = Type.Union([Type.Integer({ minimum: 1 }), Type.String({ minLength: 1, maxLength: 256 })], {
  description:
    'Where the handler begins to act: the number of a call, step or wait, or its name. What is before it is kept.',
});

export const RestartRequestSchema = Type.Object(
  {
    from: From,
    command: Type.Optional(
      Type.String({
        maxLength: 256,
        description: 'MODULE.ACTION[.AGENT] of the command, so that you never restart another one.',
      }),
    ),
  },
  { additionalProperties: false, description: 'Request to restart a command on `restart.<sequence>`.' },
);
export type RestartRequest = Readonly<Static<typeof RestartRequestSchema>>;

const KeysSchema = Type.Object(
  {
    command: Sequence,
    after: Type.Integer({ minimum: 0, description: 'The highest number that it recorded.' }),
    failed: Type.Record(Type.String(), Type.String(), {
      description: 'Steps that did not succeed: their names, by their numbers.',
    }),
  },
  {
    description:
      'The command that ran before: a step that it did not record, or that failed there, has its key of that command.',
  },
);
export type KeysBefore = Readonly<Static<typeof KeysSchema>>;

export const KeysBeforeSchema = Type.Immutable(Type.Array(KeysSchema));

/** The schema of the body of a record that restarts a command. See docs/decisions/0102. */
export const RestartSchema = Type.Object(
  {
    by: Type.String({ description: 'The account that restarted the command.' }),
    from: Type.Integer({ minimum: 1, description: 'The number of the first operation that is not kept.' }),
    digests: Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), {
      description: 'Of each kept operation, in the order of their numbers, as `Tally-Calls` counts them.',
    }),
    keys: KeysBeforeSchema,
  },
  {
    description:
      'Body of a record on `restart.<module>.<action>[.<agent>]`; its cause is the command that ran before.',
  },
);
export type Restart = Static<typeof RestartSchema>;

/** An operation of a handler, for people. */
const OperationSchema = Type.Object({
  n: Type.Integer({ minimum: 1, description: 'Its number.' }),
  what: Type.String({ description: 'The name of a step, `call MODULE.ACTION[.AGENT]`, or a wait.' }),
});

/** The schema of what a request to restart a command came to. */
export const RestartedSchema = Type.Object(
  {
    command: Sequence,
    restart: Type.Integer({ minimum: 1, description: 'Sequence of the record that restarts the command.' }),
    newCommand: Type.Integer({ minimum: 1, description: 'Sequence of the command that runs now.' }),
    from: Type.Integer({ minimum: 1, description: 'The number of the first operation that is not kept.' }),
    already: Type.Boolean({ description: 'An earlier request had restarted it from there.' }),
    kept: Type.Integer({ minimum: 0, description: 'How many operations are kept.' }),
    left: Type.Immutable(
      Type.Array(OperationSchema, {
        description: 'Operations that ran and are not kept: the first 100 of them.',
      }),
    ),
  },
  { description: '`data` of the reply to a request on `restart.<sequence>`.' },
);
/** What a request to restart a command came to: both records are stored. */
export type Restarted = Readonly<Static<typeof RestartedSchema>>;

/** An operation of another command that a restarted one has as its own; `end`: its result or its wake. */
export interface KeptOperation {
  readonly kind: 'step' | 'call' | 'wait';
  readonly seq: number;
  /** Of a step the same as `seq`. */
  readonly end: number;
}

const MARKS = { call: '+', wait: '~' } as const;

/** `Tally-Kept`: `17` is a step, `19+23` a call and its result, `31~35` a wait and its wake; with commas. */
export const keptOperations = (kept: readonly KeptOperation[]): string =>
  kept.map(({ kind, seq, end }) => (kind === 'step' ? `${seq}` : `${seq}${MARKS[kind]}${end}`)).join(',');

const keptIn = (part: string): KeptOperation | undefined => {
  const at = part.search(/[+~]/);
  const seq = parseSequence(at < 0 ? part : part.slice(0, at));
  const end = at < 0 ? seq : parseSequence(part.slice(at + 1));
  if (seq === undefined || end === undefined) return undefined;
  return { kind: at < 0 ? 'step' : part[at] === MARKS.call ? 'call' : 'wait', seq, end };
};

/** The inverse of {@link keptOperations}; undefined where the text is no list of operations. */
export const parseKept = (text: string | undefined): readonly KeptOperation[] | undefined => {
  if (text === undefined || text === '') return [];
  const kept = text.split(',').map(keptIn);
  return kept.every((each) => each !== undefined) ? kept : undefined;
};

/** Whose key the step of a command has at a number: an effect that may have happened must find its key again. */
export const keyCommand = (
  command: number,
  keys: readonly KeysBefore[],
  { call, name }: { readonly call: number; readonly name: string },
): number => {
  let found = command;
  for (const before of keys) {
    if (call <= before.after && before.failed[call] !== name) break;
    found = before.command;
  }
  return found;
};
