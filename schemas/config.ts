import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { AccountLimitsSchema, parseAccountLimits } from './account-limits.js';
import { CAGE_MODES, type CageMode } from './cage.js';
import { type Fault, fault } from './errors.js';
import { defaultGuest, GUEST_LEVELS, type GuestLevel } from './guest.js';
import { type ListenInput, ListenSchema, listensWithTls, parseListen } from './listen.js';
import { DurabilitySchema } from './log.js';
import { NAME_PATTERN } from './names.js';
import { atLeastLike, parseBytes } from './quantity.js';
import { compileOnUse } from './validate.js';

/** The smallest useful log: a few block files of the server, and records of the largest size. */
const MIN_LOG_BYTES = 16 * 1024 * 1024;
const MIN_MEMORY_BYTES = 64 * 1024 * 1024;
export const DEFAULT_DATA_DIR = '.tallystick';
/** Modules that were built from their source, in the data directory: `modules/<name>/<digest>`. */
export const BUILT_DIR = 'modules';
/** In the directory of such a module: the path of its source file. */
export const SOURCE_FILE = 'source.json';
export const DEFAULT_NATS_PORT = 4222;
export const DEFAULT_HTTP_PORT = 4280;

/** A program that may write a module's events within the account of the log, named by its key. */
export const TrustedSchema = Type.Object(
  {
    module: Type.String({ pattern: NAME_PATTERN }),
    /** Public nkey of a user. */
    publicKey: Type.String({ pattern: '^U[A-Z2-7]{55}$' }),
  },
  { additionalProperties: false },
);

export type Trusted = Static<typeof TrustedSchema>;

/** A module whose host listens for a debugger. */
export const InspectedSchema = Type.Object(
  {
    module: Type.String({ pattern: NAME_PATTERN }),
    /** Port on this machine only; 0: a free one, which the broker prints. */
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
  },
  { additionalProperties: false },
);

export type Inspected = Static<typeof InspectedSchema>;

/** The configuration of a start. Paths are as given; their readers resolve them against the working directory. */
export const StartConfigSchema = Type.Object(
  {
    /** The data directory. */
    dataDir: Type.String({ minLength: 1 }),
    /** A server that runs elsewhere; absent: the broker embeds one. */
    natsUrl: Type.Optional(Type.String({ pattern: '^(nats|tls|ws|wss)://[^\\s]+$' })),
    /** Port of the embedded server; 0: any free one. */
    natsPort: Type.Integer({ minimum: 0, maximum: 65_535 }),
    /** Whether HTTP is served on this machine. */
    http: Type.Boolean(),
    /** Its port; 0: any free one; absent: the usual one, or a free one if that is taken. */
    httpPort: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
    durability: DurabilitySchema,
    /** What the broker does after a loss of records: `rebuild` the states from the remaining records, or `stop`. */
    onLogLoss: Type.Enum(['rebuild', 'stop']),
    /** Size limit of the log in bytes; absent: a share of the free disk space. */
    maxBytes: Type.Optional(Type.Integer({ minimum: MIN_LOG_BYTES })),
    /** `GOMEMLIMIT` of the embedded server in bytes; absent: no limit. */
    memoryLimitBytes: Type.Optional(Type.Integer({ minimum: MIN_MEMORY_BYTES })),
    /** Connections of guests at the same time; absent: the broker's default. */
    maxConnections: Type.Optional(Type.Integer({ minimum: 1, maximum: 8_000 })),
    /** Directories of modules to load besides the shipped ones. */
    modules: Type.Array(Type.String({ minLength: 1 })),
    /** Whether the modules that ship with the package are loaded. */
    shipped: Type.Boolean(),
    /** Whether modules get what their manifests ask for, also where it is more than they have. */
    grant: Type.Boolean(),
    /** Programs that write events of a module within the account of the log. The broker trusts them as itself. */
    trusted: Type.Array(TrustedSchema),
    /** Modules that a person debugs. Their silence is no hang: a breakpoint stops them. */
    inspected: Type.Array(InspectedSchema),
    /** What the broker does about the cage of its modules. */
    cage: Type.Enum([...CAGE_MODES]),
    /** Limits of accounts without a token: guest, operator, modules. */
    limits: AccountLimitsSchema,
    /** What a client without a credential may do. */
    guest: Type.Enum([...GUEST_LEVELS]),
    /** Where clients of other machines connect, with TLS; absent: nowhere. */
    listen: Type.Optional(ListenSchema),
    /** Where programs and pages of other machines ask over HTTP, with TLS; absent: nowhere. */
    httpListen: Type.Optional(ListenSchema),
  },
  { additionalProperties: false },
);

export type StartConfig = Static<typeof StartConfigSchema>;

/** The configuration as users write it: members may be missing, and sizes may be text. */
export interface StartInput extends ListenInput {
  readonly dataDir?: string | undefined;
  readonly natsUrl?: string | undefined;
  readonly natsPort?: string | number | undefined;
  /** Absent: HTTP is served. */
  readonly http?: boolean | undefined;
  readonly httpPort?: string | number | undefined;
  readonly durability?: string | undefined;
  readonly onLogLoss?: string | undefined;
  readonly maxBytes?: string | number | undefined;
  readonly memoryLimitBytes?: string | number | undefined;
  readonly maxConnections?: string | number | undefined;
  readonly modules?: readonly string[] | undefined;
  readonly shipped?: boolean | undefined;
  readonly grant?: boolean | undefined;
  /** As `MODULE=PUBLIC_NKEY`. */
  readonly trusted?: readonly string[] | undefined;
  /** As `MODULE` or `MODULE=PORT`. */
  readonly inspected?: readonly string[] | undefined;
  readonly cage?: CageMode | string | undefined;
  /** As `guest:rate=200/s`. */
  readonly limits?: readonly string[] | undefined;
  /** Absent: `call` if the broker listens on loopback alone, else `off`. */
  readonly guest?: string | undefined;
}

const check = compileOnUse<StartConfig>(StartConfigSchema, 'USAGE', 'configuration');

const bytes = (
  path: string,
  value: string | number | undefined,
  least: number,
): Either<Fault, number | undefined> => {
  if (value === undefined || typeof value === 'number') return right(value);
  const parsed = parseBytes(value);
  if (isLeft(parsed)) return left({ ...parsed.left, path });
  return parsed.right >= least ? parsed : left(tooSmall(value, least, path));
};

const tooSmall = (text: string, least: number, path?: string): Fault =>
  fault('USAGE', `${JSON.stringify(text)} is too small: give at least ${atLeastLike(text, least)}`, path);

/** The size limit of a log as users write it; USAGE if it is no size, or too small for a log. */
export const parseLogBytes = (text: string): Either<Fault, number> => {
  const parsed = parseBytes(text);
  if (isLeft(parsed) || parsed.right >= MIN_LOG_BYTES) return parsed;
  return left(tooSmall(text, MIN_LOG_BYTES));
};

/** The values of options that are not sizes, in words. */
const TAKES: Readonly<Record<string, string>> = {
  '/natsUrl': 'an address such as nats://broker.example:4222 (nats, tls, ws or wss)',
  '/natsPort': 'a port from 0 to 65535; 0 takes a free one',
  '/httpPort': 'a port from 0 to 65535; 0 takes a free one',
  '/durability': 'fsync or os',
  '/onLogLoss': 'rebuild or stop',
  '/cage': 'auto, required or off',
  '/guest': 'off, read or call',
  '/maxConnections': 'a whole number from 1 to 8000',
  '/inspected': "MODULE or MODULE=PORT: a module's name, and a port from 0 to 65535",
  '/trusted': "MODULE=NKEY: a module's name and the public nkey of a user, which begins with U",
};

/** Tells what an option takes: the words of the schema do not fit the command line. */
const inWords = (problem: Fault): Fault => {
  const place = `/${(problem.path ?? '').split('/')[1] ?? ''}`;
  const takes = Object.hasOwn(TAKES, place) ? TAKES[place] : undefined;
  return takes === undefined ? problem : { ...problem, message: `give ${takes}` };
};

// Digits only: Number('') is 0, which would silently choose a free port.
const port = (value: string | number | undefined): unknown =>
  value === undefined
    ? DEFAULT_NATS_PORT
    : typeof value === 'string' && /^\d+$/.test(value)
      ? Number(value)
      : value;

const count = (value: string | number | undefined): unknown =>
  typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;

const trustedOf = (text: string): Trusted => {
  const at = text.indexOf('=');
  return { module: text.slice(0, Math.max(0, at)), publicKey: text.slice(at + 1) };
};

/** The port that debuggers of Node look at first. */
const INSPECTOR_PORT = 9229;

const inspectedOf = (text: string): { readonly module: string; readonly port: unknown } => {
  const [module = '', port] = text.split(/=(.*)/s);
  return { module, port: port === undefined ? INSPECTOR_PORT : count(port) };
};

const defined = <T extends object>(value: T): object =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));

/** A configuration with its defaults, or USAGE with the place (`path`, a JSON pointer) and the reason. */
export const startConfig = (input: StartInput): Either<Fault, StartConfig> => {
  const maxBytes = bytes('/maxBytes', input.maxBytes, MIN_LOG_BYTES);
  if (isLeft(maxBytes)) return maxBytes;
  const memoryLimitBytes = bytes('/memoryLimitBytes', input.memoryLimitBytes, MIN_MEMORY_BYTES);
  if (isLeft(memoryLimitBytes)) return memoryLimitBytes;
  if (input.natsUrl !== undefined && input.natsPort !== undefined) {
    return left(
      fault('USAGE', 'the port is for the embedded server, and you named a server elsewhere', '/natsPort'),
    );
  }
  if (input.natsUrl !== undefined && input.memoryLimitBytes !== undefined) {
    const message = 'the memory limit is for the embedded server, and you named a server elsewhere';
    return left(fault('USAGE', message, '/memoryLimitBytes'));
  }
  if (input.natsUrl !== undefined && input.listen !== undefined) {
    const message = 'a server elsewhere listens where its own configuration says, and you named one';
    return left(fault('USAGE', message, '/listen'));
  }
  if (input.http === false && input.httpListen !== undefined)
    return left(fault('USAGE', 'HTTP is off by --no-http: leave one of the two out', '/httpListen'));
  const guest = input.guest ?? (listensWithTls(input) ? 'off' : defaultGuest(input.natsUrl));
  const addresses = parseListen(input, guest as GuestLevel);
  if (isLeft(addresses)) return addresses;
  const limits = parseAccountLimits(input.limits ?? []);
  if (isLeft(limits)) return left({ ...limits.left, path: '/limits' });
  const config = check(
    defined({
      dataDir: input.dataDir ?? DEFAULT_DATA_DIR,
      natsUrl: input.natsUrl,
      natsPort: port(input.natsPort),
      http: input.http ?? true,
      httpPort: count(input.httpPort),
      durability: input.durability ?? 'fsync',
      onLogLoss: input.onLogLoss ?? 'rebuild',
      maxBytes: maxBytes.right,
      memoryLimitBytes: memoryLimitBytes.right,
      maxConnections: count(input.maxConnections),
      modules: [...(input.modules ?? [])],
      shipped: input.shipped ?? true,
      grant: input.grant ?? false,
      trusted: (input.trusted ?? []).map(trustedOf),
      inspected: (input.inspected ?? []).map(inspectedOf),
      cage: input.cage ?? 'auto',
      limits: limits.right,
      guest,
      ...addresses.right,
    }),
  );
  return isLeft(config) ? left(inWords(config.left)) : config;
};
