import Type, { type Static } from 'typebox';
import { CancelledCommandSchema } from './cancel.js';
import { CommandTimesSchema } from './command-times.js';
import { DurabilitySchema } from './log.js';
import { KeysBeforeSchema } from './restart.js';
import { ResultErrorSchema } from './result.js';
import { StepSchema } from './step.js';
import { WakeSchema } from './wake.js';

/**
 * The requests and messages between a module's process and the broker that are not in the log. The broker exports
 * `ctl.<module>.…` to that module's account alone, so a program in any language needs only a NATS client.
 */

export const startSubject = (module: string): string => `ctl.${module}.start`;
export const readySubject = (module: string): string => `ctl.${module}.ready`;
export const callsSubject = (module: string): string => `ctl.${module}.calls`;
export const stepRequestSubject = (module: string): string => `ctl.${module}.step`;
export const wakesSubject = (module: string): string => `ctl.${module}.wakes`;
export const cancelledSubject = (module: string): string => `ctl.${module}.cancelled`;
/** The broker tells a module of each command that was cancelled: a {@link CancelledCommandSchema}. */
export const toldCancelledSubject = (module: string): string => `told.${module}.cancelled`;
/** The broker tells a module that its own connection was lost and is back: the module asks again what it asked. */
export const toldAgainSubject = (module: string): string => `told.${module}.again`;
/** A module asks for its consumer, as the clients of NATS do before they pull. */
export const ownConsumerSubject = (module: string): string => `ctl.${module}.consumer`;
export const beatSubject = (module: string): string => `ctl.${module}.beat`;
export const configuredSubject = (module: string): string => `ctl.${module}.configured`;
export const thrownSubject = (module: string): string => `ctl.${module}.threw`;

/** Every error of a control or operator request: `{"error": Fault}`. */
export const ControlErrorSchema = Type.Object({ error: ResultErrorSchema });
export type ControlError = Readonly<Static<typeof ControlErrorSchema>>;

const Pid = Type.Integer({ minimum: 1 });

const Instance = Type.Optional(
  Type.String({
    description:
      'The value of TALLYSTICK_INSTANCE. A broker replies only to the process that it started. If its broker was ' +
      'replaced, a process gets no reply, and cannot take the module over from the new process.',
  }),
);

export const EpochEndSchema = Type.Object(
  {
    epoch: Type.Integer({ minimum: 1 }),
    last: Type.Integer({ minimum: 0, description: 'Highest acknowledged number; 0: none.' }),
    holes: Type.Array(Type.Integer({ minimum: 1 }), {
      maxItems: 10_000,
      description: 'Lower numbers, refused by the server.',
    }),
  },
  {
    description:
      'The end of an epoch, as far as its writer knows it. The next epoch record has it, so the log explains every gap ' +
      'in the numbers.',
  },
);

export const StartRequestSchema = Type.Object(
  {
    snapshotSeq: Type.Integer({
      minimum: 0,
      description: "Sequence of the module's snapshots; the process folds the results above it. 0: none.",
    }),
    logId: Type.Union([Type.String(), Type.Null()], {
      description: 'Identity of the log of the snapshots; null without snapshots.',
    }),
    previous: Type.Optional(EpochEndSchema),
    instance: Instance,
  },
  {
    description: 'Requests a new epoch. The module must not publish or pull under the old one any more.',
  },
);
export type StartRequest = Readonly<Static<typeof StartRequestSchema>>;

export const StartReplySchema = Type.Object({
  epoch: Type.Integer({
    minimum: 1,
    description: 'Sequence of `epoch.<module>`; the fence that every record must name.',
  }),
  next: Type.Integer({
    minimum: 1,
    description:
      "Number of the module's first record. Above 1 if the broker republished copies under this epoch.",
  }),
  resumeFrom: Type.Integer({
    minimum: 1,
    description:
      "The broker has reset the module's consumer to this sequence: the lowest command without a result.",
  }),
  snapshotSeq: Type.Integer({
    minimum: 0,
    description:
      'The snapshots are valid up to this sequence: the requested one, or 0 if they are of another log or ahead of this one (I9).',
  }),
  logId: Type.String({ description: 'Identity of this log.' }),
  durability: DurabilitySchema,
  cancelled: Type.Optional(
    Type.Boolean({
      description: 'true: commands without a result are cancelled; ask for them before you handle commands.',
    }),
  ),
  foldConsumer: Type.String({
    description:
      "Name of the consumer of the past: the module's commands, results and events below the epoch.",
  }),
  foldRecords: Type.Integer({
    minimum: 0,
    description:
      'Number of its records; they include all below the epoch. The past ends with the last one, whatever its sequence.',
  }),
});
export type StartReply = Readonly<Static<typeof StartReplySchema>>;

export const ReadyRequestSchema = Type.Object(
  { pid: Pid, instance: Instance },
  { description: 'Reports that the module has folded the past and handles commands.' },
);

export const BeatSchema = Type.Object(
  {
    pid: Pid,
    handled: Type.Integer({ minimum: 0, description: 'Commands handled since the start of the process.' }),
    pending: Type.Integer({ minimum: 0, description: 'Commands being handled or waiting in the process.' }),
    agents: Type.Integer({ minimum: 0, description: 'Agents whose state the process holds.' }),
    folded: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          'Records of the past that this start has read, at most `foldRecords`. While it grows, a start may take longer than `limits.startMs`.',
      }),
    ),
    unsaved: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Changes of states that the process has not written to its snapshots.',
      }),
    ),
    times: Type.Optional(CommandTimesSchema),
    instance: Instance,
  },
  {
    description:
      'Sent every BEAT_INTERVAL_MS. The broker replaces a process that is silent for `limits.hangMs`.',
  },
);
export type Beat = Readonly<Static<typeof BeatSchema>>;

export const ThrownSchema = Type.Object(
  {
    command: Type.Integer({
      minimum: 1,
      description: 'Sequence of the command that becomes a dead letter.',
    }),
    stack: Type.String({ description: "Stack of the handler's error; the broker keeps 40 lines." }),
    instance: Instance,
  },
  {
    description:
      'Published before the result that makes a dead letter, so that the letter has the stack for the operator.',
  },
);
export type Thrown = Readonly<Static<typeof ThrownSchema>>;

export const ConfiguredSchema = Type.Object(
  {
    version: Type.Integer({ minimum: 0, description: 'The version of the line that the process has read.' }),
    problem: Type.Optional(
      Type.String({
        description:
          'Why the process cannot take it; the broker then restarts the module. Absent: it has taken it.',
      }),
    ),
    instance: Instance,
  },
  {
    description:
      'Published by a process with `configChange: "live"` when it has taken a configuration that came while it ran.',
  },
);
export type Configured = Readonly<Static<typeof ConfiguredSchema>>;

export const ProcessConfigSchema = Type.Object(
  {
    version: Type.Integer({ minimum: 0, description: 'Grows with each change.' }),
    config: Type.Record(Type.String(), Type.Unknown(), {
      description: 'The values by key, with the defaults of the schema, and with the secrets.',
    }),
  },
  {
    description:
      'A line of the descriptor TALLYSTICK_CONFIG_FD. The first is there at the start. With `configChange: "live"` each ' +
      'change is one more; otherwise the descriptor ends after the first.',
  },
);
export type ProcessConfigLine = Readonly<Static<typeof ProcessConfigSchema>>;

export const CallsRequestSchema = Type.Object(
  {
    cause: Type.Integer({ minimum: 1, description: 'Sequence of a command that is open.' }),
    from: Type.Optional(
      Type.Integer({ minimum: 0, description: 'The broker first reads the log up to this sequence.' }),
    ),
    instance: Instance,
  },
  { description: 'Requests the calls and steps in the log that the handler of a command made.' },
);

export const CallsReplySchema = Type.Object({
  calls: Type.Integer({
    minimum: 0,
    description: 'The highest number of a call or step; 0 without calls and steps.',
  }),
  cancelled: Type.Optional(CancelledCommandSchema),
  isCancelMet: Type.Optional(
    Type.Boolean({ description: 'true: a step or a wake of the handler says that it met the cancel.' }),
  ),
  keys: Type.Optional(KeysBeforeSchema),
});
export type CallsReply = Readonly<Static<typeof CallsReplySchema>>;

export const CancelledRequestSchema = Type.Object(
  {
    after: Type.Integer({ minimum: 0, description: 'Only commands behind this sequence.' }),
    instance: Instance,
  },
  { description: 'Requests the commands of the module that are cancelled and have no result.' },
);

export const CancelledReplySchema = Type.Object(
  {
    cancelled: Type.Array(CancelledCommandSchema, { description: 'In the order of the log.' }),
    more: Type.Boolean({ description: 'true: ask again, behind the last one.' }),
  },
  {
    description:
      'The broker sends a member of `cancelled` also on `told.<module>.cancelled`, when it is stored.',
  },
);
export type CancelledReply = Readonly<Static<typeof CancelledReplySchema>>;

export const StepRequestSchema = Type.Object(
  {
    cause: Type.Integer({ minimum: 1, description: 'Sequence of a command that is open.' }),
    call: Type.Integer({ minimum: 1, description: 'Number of the step within its handler.' }),
    instance: Instance,
  },
  { description: 'Requests what the log has of a handler at a number, after a request for its calls.' },
);

export const StepReplySchema = Type.Object(
  {
    seq: Type.Optional(Type.Integer({ minimum: 1, description: 'Sequence of the record.' })),
    step: Type.Optional(StepSchema),
    wake: Type.Optional(WakeSchema),
    cause: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'The record is kept of another command: the one that ran before a restart.',
      }),
    ),
    other: Type.Optional(
      Type.String({ description: 'The record is no step of this action and agent: what it is, for people.' }),
    ),
  },
  { description: 'Without `seq`, the log has nothing at that number.' },
);
export type StepReply = Readonly<Static<typeof StepReplySchema>>;

export const WakesRequestSchema = Type.Object(
  {
    after: Type.Integer({ minimum: 0, description: 'The module knows the wakes up to this sequence.' }),
    instance: Instance,
  },
  {
    description:
      'Requests the wakes of handlers of the module behind a sequence. If there are none, the broker replies when one comes, or without one after WAKES_WAIT_MS.',
  },
);

export const WakesReplySchema = Type.Object({
  upTo: Type.Integer({
    minimum: 0,
    description: 'The wakes up to this sequence are in this reply or were known.',
  }),
  commands: Type.Array(Type.Integer({ minimum: 1 }), {
    description: 'Sequences of the commands whose handlers were woken.',
  }),
});
export type WakesReply = Readonly<Static<typeof WakesReplySchema>>;

/** So long the broker lets a request for wakes wait. */
export const WAKES_WAIT_MS = 25_000;

export const BEAT_INTERVAL_MS = 500;

/** Environment of a module's process. */
export const MODULE_ENV = {
  name: 'TALLYSTICK_MODULE',
  url: 'TALLYSTICK_NATS_URL',
  /** The seed of the nkey that the process authenticates with. */
  seed: 'TALLYSTICK_NKEY_SEED',
  /**
   * The descriptor that the host of a JavaScript module reads the seed from, and closes: the environment of a process
   * is in /proc, and its children inherit it.
   */
  seedFd: 'TALLYSTICK_NKEY_SEED_FD',
  /**
   * The descriptor with the configuration of the module, if its manifest declares one: a line of JSON, see
   * {@link ProcessConfigSchema}. Secrets are in no argument and in no environment.
   */
  configFd: 'TALLYSTICK_CONFIG_FD',
  /** Prefix of the JetStream API as the module's account imports it. */
  apiPrefix: 'TALLYSTICK_API_PREFIX',
  /** Directory for the module's own snapshots. */
  snapshots: 'TALLYSTICK_SNAPSHOTS',
  manifest: 'TALLYSTICK_MANIFEST',
  /** The SHA-256 of the manifest's file, in hexadecimal, if the broker has checked the file. */
  manifestDigest: 'TALLYSTICK_MANIFEST_SHA256',
  /** The end of the previous process: `none`, `exit:<code>`, `signal:<name>`, `hang`. */
  lastExit: 'TALLYSTICK_LAST_EXIT',
  /** A different value for each process, which the process sends in all its requests to the broker. */
  instance: 'TALLYSTICK_INSTANCE',
  /** Set if the host must only try the code, and must handle no command. */
  trial: 'TALLYSTICK_TRIAL',
  /** Set if the host has no module yet: it waits for a {@link HostAssignment}. */
  spare: 'TALLYSTICK_SPARE',
} as const;

/** What a host that waits gets, by Node's channel between parent and child, when it becomes the host of a module. */
export interface HostAssignment {
  /** Directory and entry of the module. */
  readonly args: readonly string[];
  /** See {@link MODULE_ENV}. */
  readonly seed: string;
  /** JSON of the keys of its agents, if it encrypts. They stand on the second line behind the seed, too. */
  readonly keys?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const API_PREFIX = 'TJS.API';
