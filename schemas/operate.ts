import Type, { type Static } from 'typebox';
import type { Manifest } from './manifest.js';

/** What an operator asks of a running broker: requests on `ops.…`, exported to the operator's account alone. */

export const OPS = {
  status: 'ops.status',
  moduleList: 'ops.module.list',
  moduleInfo: 'ops.module.info',
  moduleLoad: 'ops.module.load',
  moduleUnload: 'ops.module.unload',
  moduleReload: 'ops.module.reload',
  moduleRemove: 'ops.module.remove',
  moduleStats: 'ops.module.stats',
  scheduleList: 'ops.schedule.list',
  scheduleShow: 'ops.schedule.show',
  scheduleCancel: 'ops.schedule.cancel',
  deadList: 'ops.dead.list',
  deadShow: 'ops.dead.show',
  deadRedrive: 'ops.dead.redrive',
  deadResults: 'ops.dead.results',
} as const;

/** Where the broker takes the operator's requests for consumers; the account has it as the JetStream API's own subject. */
export const CREATE_CONSUMER = 'consumer.create';

/**
 * Where the broker takes the operator's pulls, as `consumer.next.LOG.<consumer>.<reader>.<number>`, and passes them on with
 * `delivered.<reader>.<number>` as their reply subject. See docs/decisions/0037.
 */
export const PULL_CONSUMER = 'consumer.next';

/** What the operator's account sees of CORE as it is published there: what those pulls are answered with. */
export const DELIVERED = 'delivered';

const Count = Type.Integer({ minimum: 0 });
const Sequence = Type.Integer({ minimum: 1 });
const Bytes = Type.Integer({ minimum: 0, description: 'Bytes.' });
const Pid = Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
  description: 'null when no process runs.',
});

export const ModuleStateSchema = Type.Enum(
  ['known', 'loading', 'loaded', 'reloading', 'crashed', 'unloaded'],
  {
    description:
      'known: its manifest is read; loading: its process starts or restarts; loaded: it handles commands; reloading: ' +
      'its old process finishes, and the new one starts then; crashed: parked after too many crashes, or it cannot ' +
      'start; unloaded: stopped on request.',
  },
);
export type ModuleState = Static<typeof ModuleStateSchema>;

export const ModuleStatusSchema = Type.Object({
  name: Type.String(),
  version: Type.String(),
  state: ModuleStateSchema,
  pid: Pid,
  restarts: Type.Integer({
    minimum: 0,
    description: 'Processes started beyond the first since the module was loaded.',
  }),
  lag: Type.Integer({ minimum: 0, description: 'Commands in the log that are not handled yet.' }),
  cpuPercent: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  rssBytes: Type.Union([Bytes, Type.Null()]),
  reason: Type.Union([Type.String(), Type.Null()], {
    description: 'Why it is crashed, or how the last process ended; null when nothing went wrong.',
  }),
});
export type ModuleStatus = Readonly<Static<typeof ModuleStatusSchema>>;

/** Reply to {@link OPS.moduleInfo}. */
export type ModuleInfo = ModuleStatus & {
  readonly manifest: Manifest;
  /** Where its program is, on the broker's machine. */
  readonly dir: string;
  /** What its last process printed before it ended unasked: at most 41 lines, printable. */
  readonly output: readonly string[];
};

/** Reply to {@link OPS.moduleRemove}. */
export interface ModuleRemoval {
  readonly name: string;
  /** False where only the question was asked (`dryRun`). */
  readonly removed: boolean;
  /** Commands without a result, which are answered MODULE_UNKNOWN by the removal. */
  readonly waiting: number;
  /** Something that whoever removes it should know; null: nothing. */
  readonly note: string | null;
}

const ServerSchema = Type.Object({ version: Type.String(), embedded: Type.Boolean() });

/** The ways in which a log can have lost records that were seen in it; also codes of the table of errors. */
export const LOSS_CODES = ['LOG_SHORTENED', 'LOG_DIFFERS', 'LOG_REPLACED'] as const;
export type LossCode = (typeof LOSS_CODES)[number];

export const LossReportSchema = Type.Object(
  {
    at: Type.String({ description: 'When it was found, RFC 3339.' }),
    code: Type.Enum([...LOSS_CODES]),
    message: Type.String(),
    seenSeq: Type.Integer({ minimum: 0, description: 'The highest sequence that had been seen.' }),
    lastSeq: Type.Integer({ minimum: 0, description: 'Where the log ended when the loss was found.' }),
    agreesTo: Type.Integer({
      minimum: 0,
      description: 'Up to here, at least, it is the log that had been seen.',
    }),
    gaps: Type.Optional(
      Type.Immutable(
        Type.Array(Type.Immutable(Type.Tuple([Sequence, Sequence])), {
          description:
            'What is missing between first and last record: first and last sequence of each place.',
        }),
      ),
    ),
    dir: Type.String({ description: 'Where snapshots, index and witness are kept as they were.' }),
  },
  { description: 'Records that the log had and has no more; listed until `dir` is removed.' },
);
export type LossReport = Readonly<Static<typeof LossReportSchema>>;

export const BrokerStatusSchema = Type.Object({
  server: Type.Object({ ...ServerSchema.properties, url: Type.String(), pid: Pid }),
  durability: Type.String(),
  dataDir: Type.String(),
  pid: Type.Integer({ minimum: 1 }),
  log: Type.Object({
    records: Count,
    bytes: Bytes,
    maxBytes: Bytes,
    reserveBytes: Type.Integer({ minimum: 0, description: 'What of maxBytes no new command gets.' }),
    refusal: Type.Union([Type.String(), Type.Null()], {
      description: 'Why no new command is taken; null while they are.',
    }),
    firstSeq: Count,
    lastSeq: Count,
  }),
  requestsWaiting: Type.Record(Type.String(), Count, {
    description: 'Requests of people that wait their turn, by account.',
  }),
  modules: Type.Immutable(Type.Array(ModuleStatusSchema)),
  agents: Count,
  conversationsOpen: Count,
  losses: Type.Immutable(Type.Array(LossReportSchema)),
});
export type BrokerStatus = Readonly<Static<typeof BrokerStatusSchema>>;

export const ActionStatsSchema = Type.Object(
  {
    action: Type.String(),
    calls: Count,
    errors: Count,
    meanMs: Type.Number({ minimum: 0, description: 'Mean time from call to reply, milliseconds.' }),
  },
  { description: 'Calls of one action through the gateway since the broker started.' },
);
export type ActionStats = Readonly<Static<typeof ActionStatsSchema>>;

export const ModuleStatsSchema = Type.Object({
  name: Type.String(),
  handled: Count,
  pending: Count,
  agents: Count,
  actions: Type.Immutable(Type.Array(ActionStatsSchema)),
});
export type ModuleStats = Readonly<Static<typeof ModuleStatsSchema>>;

export const ReadySchema = Type.Object(
  {
    ready: Type.Literal(true),
    pid: Type.Integer({ minimum: 1 }),
    nats: Type.String(),
    dataDir: Type.String(),
    durability: Type.String(),
    server: ServerSchema,
    modules: Type.Immutable(
      Type.Array(Type.Object({ name: Type.String(), version: Type.String(), pid: Pid })),
    ),
  },
  { description: 'What `start --json` prints once, on one line.' },
);
export type Ready = Readonly<Static<typeof ReadySchema>>;

export const BrokerAddressSchema = Type.Object(
  {
    pid: Type.Integer({ minimum: 1 }),
    nats: Type.String(),
    operatorSeed: Type.String({ description: "File with the operator's nkey seed." }),
  },
  { description: '`<data>/broker.json`: where a command line finds its broker.' },
);
export type BrokerAddress = Readonly<Static<typeof BrokerAddressSchema>>;

export const ADDRESS_FILE = 'broker.json';
