import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import Type, { type Static, type TSchema } from 'typebox';
import { type Fault, fault } from './errors.js';
import { CageRequestSchema } from './cage.js';
import { encryptProblem } from './encrypt.js';
import { foldsProblem, FoldsSchema } from './folded-events.js';
import { hearingProblem, OnSchema } from './heard-events.js';
import { SCHEMA_VERSION } from './headers.js';
import { configProblem } from './module-config.js';
import { isModuleName, NAME_PATTERN, RESERVED_NAMES } from './names.js';
import { CODE_PATTERN } from './result.js';
import { indexProblem, StateIndexSchema } from './state-index.js';
import { pointer, schemaProblem } from './schema-problem.js';
import { compile, compileOnUse, type JsonSchema } from './validate.js';

const Name = Type.String({ pattern: NAME_PATTERN });
/** A JSON Schema; it is checked when it is compiled. */
const SchemaNode = Type.Unsafe<JsonSchema>(
  Type.Union([Type.Boolean(), Type.Record(Type.String(), Type.Unknown())]),
);
/** The largest manifest with its schemas: one message shows and sends it. */
export const MAX_MANIFEST_BYTES = 262_144;
const MAX_ACTIONS = 500;
const MAX_EVENTS = 1_000;
const MAX_DEPENDENCIES = 500;
const MAX_REJECTIONS = 200;
const Description = Type.String({ maxLength: 4_096 });
/** A path, or a word of a command line. */
const Word = Type.String({ minLength: 1, maxLength: 4_096 });

const Strict = { additionalProperties: false } as const;
/** A JSON object whose keys are names. Without `Strict`, other keys would not be checked. */
const byName = <T extends TSchema>(value: T, options: { description?: string; maxProperties: number }) =>
  Type.Record(Name, value, { ...options, ...Strict });

export const RetrySchema = Type.Object(
  {
    attempts: Type.Integer({
      minimum: 1,
      maximum: 1_000,
      description: 'Number of tries, with the first one.',
    }),
    backoffMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400_000,
        description:
          'Pause before the second try in milliseconds (default 500); each next pause is twice as long.',
      }),
    ),
    maxBackoffMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400_000,
        description: 'Longest pause between two tries in milliseconds (default 30,000).',
      }),
    ),
  },
  Strict,
);

/** The schema of an action in a manifest. */
export const ActionSchema = Type.Object(
  {
    description: Type.Optional(Description),
    agent: Type.Optional(
      Type.Enum(['required', 'none'], {
        description:
          'required (default): for one agent, which handles one command at a time. none: for the module.',
      }),
    ),
    callers: Type.Optional(
      Type.Enum(['any', 'self', 'events'], {
        description:
          'Allowed senders: all that may call the module (default), or only the module itself. `events`: the broker alone, with events that the module listens to (`on`).',
      }),
    ),
    input: SchemaNode,
    output: SchemaNode,
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'How many handlers of this action run at the same time; effectful handlers only.',
      }),
    ),
    deadlineMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400_000,
        description: 'Time limit of each try in milliseconds; after it the result is HANDLER_TIMEOUT.',
      }),
    ),
    retry: Type.Optional(RetrySchema),
    rejections: Type.Optional(
      Type.Unsafe<readonly string[]>(
        Type.Array(Type.String({ pattern: CODE_PATTERN }), {
          maxItems: MAX_REJECTIONS,
          description: 'Its own codes: all with which the action rejects. Absent: any code.',
        }),
      ),
    ),
  },
  Strict,
);

export const EventSchema = Type.Object({ description: Type.Optional(Description), data: SchemaNode }, Strict);

const limit = (minimum: number, maximum: number, description: string) =>
  Type.Optional(Type.Integer({ minimum, maximum, description }));

export const LimitsSchema = Type.Object(
  {
    heapMb: limit(32, 65_536, 'Heap of the host process, MiB.'),
    payloadBytes: limit(1, 983_040, 'Largest command payload, bytes.'),
    hangMs: limit(500, 600_000, 'The broker replaces a process that is silent for longer, milliseconds.'),
    startMs: limit(
      100,
      600_000,
      'Longest time without progress until the module is ready, milliseconds. Folding is progress.',
    ),
    crashes: limit(1, 1000, 'The broker parks a module after this many crashes within a minute.'),
  },
  Strict,
);

/** The schema of `manifest.json`. */
export const ManifestSchema = Type.Object(
  {
    $schema: Type.Optional(Word),
    name: Name,
    version: Type.String({ maxLength: 128, pattern: '^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?$' }),
    schema: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description:
          "Version of the form of its events and of its agents' states (default 1). `Tally-Schema` of its results and events has " +
          'it. Raise it with each change of a form.',
      }),
    ),
    description: Description,
    actions: byName(ActionSchema, { maxProperties: MAX_ACTIONS }),
    events: byName(EventSchema, { maxProperties: MAX_EVENTS }),
    dependencies: Type.Optional(
      byName(Type.Array(Name, { maxItems: MAX_ACTIONS }), {
        maxProperties: MAX_DEPENDENCIES,
        description: 'Actions of other modules that handlers may call or send: {"accounts": ["withdraw"]}.',
      }),
    ),
    on: Type.Optional(OnSchema),
    folds: Type.Optional(FoldsSchema),
    limits: Type.Optional(LimitsSchema),
    sensitive: Type.Optional(
      Type.Unsafe<readonly string[]>(
        Type.Array(Type.String({ minLength: 1, maxLength: 1_024 }), {
          maxItems: 200,
          description:
            'Paths in the states of its agents whose values are hidden where a person looks at them: `card.number`. `*` is ' +
            'any member or item: `orders.*.email`. Schemas mark their values with `sensitive: true`.',
        }),
      ),
    ),
    index: Type.Optional(StateIndexSchema),
    encrypt: Type.Optional(
      Type.Boolean({
        description:
          'The broker and the host encrypt what the schemas mark with `sensitive: true`, and the states in snapshots, with ' +
          'a key for each agent. `tallystick agent erase` destroys the key of an agent. For JavaScript modules only.',
      }),
    ),
    cage: Type.Optional(CageRequestSchema),
    config: Type.Optional(
      Type.Unsafe<JsonSchema>(
        Type.Record(Type.String(), Type.Unknown(), {
          description:
            'JSON Schema of its configuration, an object: each property is a key of `tallystick config`. A key with ' +
            '`sensitive: true` is a secret.',
        }),
      ),
    ),
    configChange: Type.Optional(
      Type.Enum(['restart', 'live'], {
        description:
          'When its configuration changes: the broker restarts it (default), or its running process gets the new one.',
      }),
    ),
    start: Type.Union(
      [
        Type.Object({ entry: Word }, Strict),
        Type.Object(
          { command: Type.Array(Type.String({ maxLength: 4_096 }), { minItems: 1, maxItems: 256 }) },
          Strict,
        ),
      ],
      {
        description:
          'entry: a JavaScript file for the host of this package. command: a program in any language.',
      },
    ),
  },
  Strict,
);

/** The manifest of a module: what it takes, sends and publishes. */
export type Manifest = Static<typeof ManifestSchema>;
/** An action, as the manifest describes it. */
export type ActionManifest = Static<typeof ActionSchema>;

/**
 * A module without actions handles no command: it follows its events as they arrive in the log. A module with actions
 * decides on its states, so only its outcomes change them. It folds an event without a cause at its next start.
 */
export const isFollower = ({ actions }: Pick<Manifest, 'actions'>): boolean =>
  Object.keys(actions).length === 0;

export const DEFAULT_LIMITS = {
  heapMb: 256,
  payloadBytes: 262_144,
  hangMs: 5_000,
  startMs: 30_000,
  crashes: 5,
} as const;

export const DEFAULT_SCHEMA = Number(SCHEMA_VERSION);
export const DEFAULT_DEADLINE_MS = 30_000;
export const DEFAULT_CONCURRENCY = 100;

/** Unless the manifest says more, a handler runs once: only its author knows whether it may run twice. */
export const DEFAULT_RETRY = { attempts: 1, backoffMs: 500, maxBackoffMs: 30_000 } as const;

export type Retry = { readonly [K in keyof typeof DEFAULT_RETRY]: number };

export const retryOf = (action: Pick<ActionManifest, 'retry'> | undefined): Retry => ({
  ...DEFAULT_RETRY,
  ...action?.retry,
});

export const limitsOf = (manifest: Manifest): { [K in keyof typeof DEFAULT_LIMITS]: number } => ({
  ...DEFAULT_LIMITS,
  ...manifest.limits,
});

/** Version of the form of a module's events and states; 1 by default. */
export const schemaOf = ({ schema = DEFAULT_SCHEMA }: Pick<Manifest, 'schema'>): number => schema;

/** Whether an action takes an agent; yes by default. */
export const takesAgent = (action: ActionManifest): boolean => action.agent !== 'none';

const check = compileOnUse<Manifest>(ManifestSchema, 'MANIFEST_INVALID', 'manifest');

const encoder = new TextEncoder();

/** Bytes of a value as JSON; undefined if it is nested too deep for that. */
const bytesOf = (value: unknown): number | undefined => {
  try {
    return encoder.encode(JSON.stringify(value)).length;
  } catch {
    return undefined;
  }
};

/** A valid manifest, or `MANIFEST_INVALID` with the place and the reason. */
export const parseManifest = (value: unknown): Either<Fault, Manifest> => {
  const shaped = check(value);
  if (isLeft(shaped)) return shaped;
  const manifest = shaped.right;
  const bytes = bytesOf(manifest);
  if (bytes !== undefined && bytes > MAX_MANIFEST_BYTES) {
    const message = `the manifest has ${bytes} bytes as JSON; at most ${MAX_MANIFEST_BYTES} are allowed`;
    return left(fault('MANIFEST_INVALID', message, ''));
  }
  const invalid = (path: string, message: string): Either<Fault, Manifest> =>
    left(fault('MANIFEST_INVALID', `manifest${path} ${message}`, path));
  if (!isModuleName(manifest.name)) {
    return invalid('/name', `is reserved (${[...RESERVED_NAMES].join(', ')}, and names that begin with _)`);
  }
  if (isFollower(manifest) && manifest.folds === undefined && Object.keys(manifest.events).length === 0)
    return invalid('/actions', 'declares no action, and no event to follow');
  if (manifest.dependencies !== undefined && Object.hasOwn(manifest.dependencies, manifest.name)) {
    return invalid(
      pointer('/dependencies', manifest.name),
      'names the module itself, whose actions it may always use',
    );
  }
  const problem = encryptProblem(manifest);
  if (problem !== undefined) return invalid('/encrypt', problem);
  const unindexed = indexProblem(manifest);
  if (unindexed !== undefined) return invalid(unindexed.path, unindexed.message);
  const unfolded = foldsProblem(manifest);
  if (unfolded !== undefined) return invalid(unfolded.path, unfolded.message);
  const unheard = hearingProblem(manifest);
  if (unheard !== undefined) return invalid(unheard.path, unheard.message);
  const schemas: [string, JsonSchema][] = [
    ...Object.entries(manifest.actions).flatMap(([name, action]): [string, JsonSchema][] => [
      [`/actions/${name}/input`, action.input],
      [`/actions/${name}/output`, action.output],
    ]),
    ...Object.entries(manifest.events).map(([name, event]): [string, JsonSchema] => [
      `/events/${name}/data`,
      event.data,
    ]),
    ...Object.entries(manifest.folds ?? {}).map(([events, { data }]): [string, JsonSchema] => [
      `${pointer('/folds', events)}/data`,
      data,
    ]),
    ...(manifest.config === undefined ? [] : [['/config', manifest.config] as [string, JsonSchema]]),
  ];
  for (const [path, schema] of schemas) {
    const problem = schemaProblem(schema, path);
    if (problem !== undefined) return invalid(problem.path, problem.message);
    try {
      compile(schema, 'MANIFEST_INVALID', 'schema');
    } catch (error) {
      return invalid(path, `cannot be compiled: ${(error as Error).message}`);
    }
  }
  const unusual = configProblem(manifest);
  if (unusual !== undefined) return invalid(unusual.path, unusual.message);
  if (manifest.configChange !== undefined && manifest.config === undefined)
    return invalid('/configChange', 'needs a `config` whose changes it is about');
  // If a schema is too deep, its place has been named already.
  return bytes === undefined ? invalid('', 'is nested too deeply') : right(manifest);
};
