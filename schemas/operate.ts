import Type, { type Static } from 'typebox';
import { AccountUsageSchema } from './account-usage.js';
import { AuditStatusSchema } from './audit-record.js';
import { BrokerCountersSchema } from './broker-counters.js';
import { CageStatusSchema } from './cage.js';
import { CommandTimesSchema } from './command-times.js';
import { GUEST_LEVELS } from './guest.js';
import type { Manifest } from './manifest.js';
import { ListedSubscriptionSchema } from './subscription.js';

/** The requests of an operator to a running broker: `ops.…`, exported to the operator's account alone. */

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
  auditList: 'ops.audit.list',
  logs: 'ops.logs',
  configList: 'ops.config.list',
  configSet: 'ops.config.set',
  configUnset: 'ops.config.unset',
  configReveal: 'ops.config.reveal',
  sensitive: 'ops.sensitive',
  agentErase: 'ops.agent.erase',
  burstMay: 'ops.burst.may',
  burstStart: 'ops.burst.start',
} as const;

/**
 * The subject where the broker takes the operator's requests for consumers. In the operator's account it is that of
 * JetStream's API.
 */
export const CREATE_CONSUMER = 'consumer.create';

/**
 * The subject where the broker takes the operator's pulls: `consumer.next.LOG.<consumer>.<reader>.<number>`. It
 * passes them on with the reply subject `delivered.<reader>.<number>`. See docs/decisions/0037.
 */
export const PULL_CONSUMER = 'consumer.next';

/** The subjects of CORE that the operator's account sees: the replies to those pulls. */
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
      'known: the manifest is read; loading: its process starts or restarts; loaded: it handles commands; reloading: ' +
      'the old process finishes, then the new one starts; crashed: parked after too many crashes, or it cannot ' +
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
    description: 'Restarts since the module was loaded.',
  }),
  lag: Type.Integer({ minimum: 0, description: 'Commands in the log that wait to be handled.' }),
  eventsWaiting: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'Events in the log that it listens to, and that the broker has not brought to it yet.',
    }),
  ),
  asleep: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Waits of its handlers that are not over; absent: none.' }),
  ),
  nextWake: Type.Optional(
    Type.String({
      description:
        'RFC 3339 time at which the next of them is due. It may be absent among many of other modules.',
    }),
  ),
  cpuPercent: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  rssBytes: Type.Union([Bytes, Type.Null()]),
  reason: Type.Union([Type.String(), Type.Null()], {
    description:
      'The reason why it is crashed, why its next process will not start, or how the last process ended; null ' +
      'without a problem.',
  }),
});
export type ModuleStatus = Readonly<Static<typeof ModuleStatusSchema>>;

/** Reply to {@link OPS.moduleInfo}. */
export type ModuleInfo = ModuleStatus & {
  readonly manifest: Manifest;
  /** The directory of its program, on the broker's machine. */
  readonly dir: string;
  /** The last output of a process that ended unexpectedly: at most 41 printable lines. */
  readonly output: readonly string[];
};

/** Reply to {@link OPS.moduleRemove}. */
export interface ModuleRemoval {
  readonly name: string;
  /** False if the request only asked for the effect (`dryRun`). */
  readonly removed: boolean;
  /** Commands without a result. The removal gives them the result MODULE_UNKNOWN. */
  readonly waiting: number;
  /** A warning about the removal; null: none. */
  readonly note: string | null;
}

/** Reply to {@link OPS.agentErase}. */
export interface AgentErasure {
  readonly module: string;
  readonly agent: string;
  /** It was erased before this request. */
  readonly already: boolean;
}

const ServerSchema = Type.Object({ version: Type.String(), embedded: Type.Boolean() });

/** The ways in which a log can lose records that the broker had seen. They are also codes of the table of errors. */
export const LOSS_CODES = ['LOG_SHORTENED', 'LOG_DIFFERS', 'LOG_REPLACED'] as const;
export type LossCode = (typeof LOSS_CODES)[number];

export const LossReportSchema = Type.Object(
  {
    at: Type.String({ description: 'Time when the broker found it, RFC 3339.' }),
    code: Type.Enum([...LOSS_CODES]),
    message: Type.String(),
    seenSeq: Type.Integer({ minimum: 0, description: 'The highest sequence that the broker had seen.' }),
    lastSeq: Type.Integer({ minimum: 0, description: 'The end of the log when the broker found the loss.' }),
    agreesTo: Type.Integer({
      minimum: 0,
      description: 'Up to this sequence at least, the log is the one that the broker had seen.',
    }),
    gaps: Type.Optional(
      Type.Immutable(
        Type.Array(Type.Immutable(Type.Tuple([Sequence, Sequence])), {
          description: 'Gaps between first and last record: first and last sequence of each gap.',
        }),
      ),
    ),
    dir: Type.String({ description: 'Directory with the old snapshots, index and witness.' }),
  },
  { description: 'A loss of records; listed until you remove `dir`.' },
);
export type LossReport = Readonly<Static<typeof LossReportSchema>>;

const GuestSchema = Type.Enum([...GUEST_LEVELS], {
  description: 'What a client without a credential may do: nothing, read, or call.',
});

export const ActionStatsSchema = Type.Object(
  {
    action: Type.String(),
    commands: Type.Integer({
      minimum: 0,
      description:
        'Commands that have a result: calls, plain commands, firings of schedules, commands of modules.',
    }),
    calls: Type.Integer({ minimum: 0, description: 'Calls that the gateway took or refused.' }),
    errors: Type.Integer({ minimum: 0, description: 'Calls whose result is not ok, and refused calls.' }),
    meanMs: Type.Number({ minimum: 0, description: 'Mean time from call to reply, milliseconds.' }),
    waits: Type.Optional(
      Type.Immutable(
        Type.Array(Count, {
          description:
            'Calls by the time from call to reply: at most 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1,000, 2,500, 5,000, ' +
            '10,000, 30,000 ms, and above.',
        }),
      ),
    ),
  },
  { description: 'Commands and calls of one action, since the broker loaded the module.' },
);
export type ActionStats = Readonly<Static<typeof ActionStatsSchema>>;

export const ModuleStatsSchema = Type.Object({
  name: Type.String(),
  handled: Count,
  pending: Count,
  agents: Count,
  unsaved: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'Changes of states that its process has not written to the snapshots.',
    }),
  ),
  times: Type.Optional(CommandTimesSchema),
  actions: Type.Immutable(Type.Array(ActionStatsSchema)),
});
export type ModuleStats = Readonly<Static<typeof ModuleStatsSchema>>;

export const BrokerStatusSchema = Type.Object({
  server: Type.Object({ ...ServerSchema.properties, url: Type.String(), pid: Pid }),
  durability: Type.String(),
  dataDir: Type.String(),
  pid: Type.Integer({ minimum: 1 }),
  log: Type.Object({
    records: Count,
    bytes: Bytes,
    maxBytes: Bytes,
    reserveBytes: Type.Integer({
      minimum: 0,
      description: 'The part of maxBytes that new commands do not get.',
    }),
    refusal: Type.Union([Type.String(), Type.Null()], {
      description: 'The reason why the broker takes no new command; null if it takes them.',
    }),
    firstSeq: Count,
    lastSeq: Count,
  }),
  requestsWaiting: Type.Record(Type.String(), Count, {
    description: 'Waiting requests, by account.',
  }),
  accounts: Type.Optional(
    Type.Immutable(
      Type.Array(AccountUsageSchema, { description: 'Who uses what: the 50 most active accounts first.' }),
    ),
  ),
  accountsLeftOut: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Accounts that are not in the list.' }),
  ),
  callsDropped: Type.Optional(
    Type.Record(Type.String(), Count, {
      description:
        'Calls since the start of the broker that it did not store, because the connection of their caller had ' +
        'closed, by account.',
    }),
  ),
  modules: Type.Immutable(Type.Array(ModuleStatusSchema)),
  agents: Count,
  conversationsOpen: Count,
  subscriptions: Type.Optional(
    Type.Immutable(
      Type.Array(ListedSubscriptionSchema, { description: 'Subscriptions of programs, at most 50.' }),
    ),
  ),
  losses: Type.Immutable(Type.Array(LossReportSchema)),
  cage: CageStatusSchema,
  guest: Type.Optional(GuestSchema),
  audit: Type.Optional(AuditStatusSchema),
  counters: Type.Optional(BrokerCountersSchema),
  stats: Type.Optional(
    Type.Immutable(
      Type.Array(ModuleStatsSchema, {
        description: 'With `counters`, unless they are too many for one reply: then ask for them.',
      }),
    ),
  ),
  certificateEnds: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: 'When the certificate of this address ends, RFC 3339; null: none, or it cannot be read.',
    }),
  ),
  listen: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: 'Where clients of other machines connect, with TLS; null: nowhere.',
    }),
  ),
  http: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: 'Where HTTP is served, on the machine of the broker; null: nowhere.',
    }),
  ),
  httpListen: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: 'Where HTTP is served to other machines, with TLS; null: nowhere.',
    }),
  ),
  traces: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: 'The collector that gets the spans, without a credential; null: there is none.',
    }),
  ),
});
export type BrokerStatus = Readonly<Static<typeof BrokerStatusSchema>>;

export const ReadySchema = Type.Object(
  {
    ready: Type.Literal(true),
    pid: Type.Integer({ minimum: 1 }),
    nats: Type.String(),
    dataDir: Type.String(),
    durability: Type.String(),
    server: ServerSchema,
    guest: GuestSchema,
    listen: Type.Union([Type.String(), Type.Null()]),
    http: Type.Union([Type.String(), Type.Null()], { description: 'Where HTTP is served.' }),
    httpListen: Type.Union([Type.String(), Type.Null()], {
      description: 'Where HTTP is served to other machines, with TLS.',
    }),
    modules: Type.Immutable(
      Type.Array(Type.Object({ name: Type.String(), version: Type.String(), pid: Pid })),
    ),
  },
  { description: 'Output of `start --json`, printed once, on one line.' },
);
export type Ready = Readonly<Static<typeof ReadySchema>>;

/** Where a broker is asked, besides the server: URLs; null: nowhere. */
export type Addresses = Pick<Ready, 'listen' | 'http' | 'httpListen'>;

export const BrokerAddressSchema = Type.Object(
  {
    pid: Type.Integer({ minimum: 1 }),
    nats: Type.String(),
    operatorSeed: Type.String({ description: "File with the operator's nkey seed." }),
  },
  { description: '`<data>/broker.json`: the address of the broker, for the command line.' },
);
export type BrokerAddress = Readonly<Static<typeof BrokerAddressSchema>>;

export const ADDRESS_FILE = 'broker.json';
