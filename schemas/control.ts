import Type, { type Static } from 'typebox';
import { DurabilitySchema } from './log.js';
import { ResultErrorSchema } from './result.js';

/**
 * What a module's process and the broker say to each other beside the log. `ctl.<module>.…` is exported by the broker
 * to that module's account alone, so a program in any language takes part with nothing but a NATS client.
 */

export const startSubject = (module: string): string => `ctl.${module}.start`;
export const readySubject = (module: string): string => `ctl.${module}.ready`;
export const callsSubject = (module: string): string => `ctl.${module}.calls`;
export const beatSubject = (module: string): string => `ctl.${module}.beat`;
export const thrownSubject = (module: string): string => `ctl.${module}.threw`;

/** Every error of a control or operator request: `{"error": Fault}`. */
export const ControlErrorSchema = Type.Object({ error: ResultErrorSchema });
export type ControlError = Readonly<Static<typeof ControlErrorSchema>>;

const Pid = Type.Integer({ minimum: 1 });

const Instance = Type.Optional(
  Type.String({
    description:
      'What TALLYSTICK_INSTANCE says. A broker heeds only the process that it started itself: one whose broker was ' +
      'replaced is answered by nobody, and cannot take the module over from its replacement.',
  }),
);

export const EpochEndSchema = Type.Object(
  {
    epoch: Type.Integer({ minimum: 1 }),
    last: Type.Integer({ minimum: 0, description: 'Highest number that was acknowledged; 0: none.' }),
    holes: Type.Array(Type.Integer({ minimum: 1 }), {
      maxItems: 10_000,
      description: 'Lower numbers that the server refused.',
    }),
  },
  {
    description:
      'How an epoch ended, as far as its writer was told: the next epoch record says it, so that every gap in the ' +
      'numbers is explained in the log.',
  },
);

export const StartRequestSchema = Type.Object(
  {
    snapshotSeq: Type.Integer({
      minimum: 0,
      description:
        "Sequence that the module's snapshots stand at; results above it are to be folded. 0: none.",
    }),
    logId: Type.Union([Type.String(), Type.Null()], {
      description: 'Identity of the log that the snapshots come from; null when there are none.',
    }),
    previous: Type.Optional(EpochEndSchema),
    instance: Instance,
  },
  {
    description:
      'Asks for a new epoch; the module must have stopped publishing and pulling under the old one.',
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
      "Number that the module's first record takes. Above 1 where the broker republished copies under this epoch.",
  }),
  resumeFrom: Type.Integer({
    minimum: 1,
    description:
      "The module's consumer has been reset to this sequence: the lowest command that is not answered.",
  }),
  snapshotSeq: Type.Integer({
    minimum: 0,
    description:
      'Up to where the snapshots may be used: what was asked for, or 0 when they are of another log or ahead of this one (I9).',
  }),
  logId: Type.String({ description: 'Identity of this log.' }),
  durability: DurabilitySchema,
  foldConsumer: Type.String({
    description:
      'Name of a consumer to read the past from: own commands, results and events below the epoch, then done.',
  }),
  foldRecords: Type.Integer({
    minimum: 0,
    description:
      'So many it has: all below the epoch are among them. Done behind the last, whatever its sequence.',
  }),
});
export type StartReply = Readonly<Static<typeof StartReplySchema>>;

export const ReadyRequestSchema = Type.Object(
  { pid: Pid, instance: Instance },
  { description: 'Says that the past is folded and commands are being handled.' },
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
          'Records of the past that this start has read, `foldRecords` at most. While it grows, a start may take longer than `limits.startMs`.',
      }),
    ),
    instance: Instance,
  },
  { description: 'Sent every BEAT_INTERVAL_MS; silence for `limits.hangMs` has the process replaced.' },
);
export type Beat = Readonly<Static<typeof BeatSchema>>;

export const ThrownSchema = Type.Object(
  {
    command: Type.Integer({
      minimum: 1,
      description: 'Sequence of the command that is about to be a dead letter.',
    }),
    stack: Type.String({ description: 'Where its handler threw; the broker keeps 40 lines of it.' }),
    instance: Instance,
  },
  {
    description:
      'Published before the result that makes a dead letter: the letter then has the stack, for the operator.',
  },
);
export type Thrown = Readonly<Static<typeof ThrownSchema>>;

export const CallsRequestSchema = Type.Object(
  {
    cause: Type.Integer({ minimum: 1, description: 'Sequence of a command that is open.' }),
    instance: Instance,
  },
  { description: 'Asks for the calls that the log has of the handler of a command.' },
);

export const CallsReplySchema = Type.Object({
  calls: Type.Integer({ minimum: 0, description: 'The highest number of a call; 0 where there is none.' }),
});
export type CallsReply = Readonly<Static<typeof CallsReplySchema>>;

export const BEAT_INTERVAL_MS = 500;

/** Environment of a module's process. */
export const MODULE_ENV = {
  name: 'TALLYSTICK_MODULE',
  url: 'TALLYSTICK_NATS_URL',
  /** The seed of the nkey that the process authenticates with. */
  seed: 'TALLYSTICK_NKEY_SEED',
  /** Prefix of the JetStream API as the module's account imports it. */
  apiPrefix: 'TALLYSTICK_API_PREFIX',
  /** Directory for the module's own snapshots. */
  snapshots: 'TALLYSTICK_SNAPSHOTS',
  manifest: 'TALLYSTICK_MANIFEST',
  /** How the process before this one ended: `none`, `exit:<code>`, `signal:<name>`, `hang`. */
  lastExit: 'TALLYSTICK_LAST_EXIT',
  /** Different for each process; it says it in all that it tells its broker. */
  instance: 'TALLYSTICK_INSTANCE',
  /** Set where the host is to try the code, and to handle nothing. */
  trial: 'TALLYSTICK_TRIAL',
} as const;

export const API_PREFIX = 'TJS.API';
