import Type, { type Static } from 'typebox';
import { covers, HEARD_PATTERN, HeardSchema, heardSubjects } from './heard-events.js';
import { pointer } from './schema-problem.js';
import type { JsonSchema } from './validate.js';

const MAX_FOLDED = 100;

/** The schema of an entry of `folds` in a manifest. */
export const FoldedSchema = Type.Object(
  {
    data: Type.Unsafe<JsonSchema>(Type.Union([Type.Boolean(), Type.Record(Type.String(), Type.Unknown())])),
    agent: HeardSchema.properties.agent,
    to: Type.Optional(
      Type.Enum(['agent', 'module'], {
        description: 'module: the events change the state of the module itself, and of no agent.',
      }),
    ),
  },
  { additionalProperties: false },
);
/** What a read model folds, as its manifest says. */
export type Folded = Readonly<Static<typeof FoldedSchema>>;

/** The schema of `folds` in a manifest. */
export const FoldsSchema = Type.Record(Type.String({ pattern: HEARD_PATTERN }), FoldedSchema, {
  minProperties: 1,
  maxProperties: MAX_FOLDED,
  additionalProperties: false,
  description:
    'Events of other modules of which it makes its states, from the start of the log: a read model. It has no actions and ' +
    'no events. `accounts.>`: all events of accounts that no other entry names. An operator who loads the module grants it.',
});

type Folds = Readonly<Record<string, Folded>>;

interface FoldingManifest {
  readonly name: string;
  readonly folds?: Folds;
  readonly actions: object;
  readonly events: object;
  readonly start: object;
}

/** What is wrong with what a module folds: a path in its manifest, and why. */
export const foldsProblem = ({
  name,
  folds,
  actions,
  events,
  start,
}: FoldingManifest): { readonly path: string; readonly message: string } | undefined => {
  if (folds === undefined) return undefined;
  if ('command' in start)
    return { path: '/folds', message: 'is for JavaScript modules: others keep no states here' };
  for (const [path, declared] of [
    ['/actions', actions],
    ['/events', events],
  ] as const)
    if (Object.keys(declared).length > 0)
      return { path, message: 'must be empty in a module with `folds`: it only reads what others store' };
  for (const [each, { agent, to }] of Object.entries(folds)) {
    const path = pointer('/folds', each);
    if (each.startsWith(`${name}.`)) return { path, message: 'names its own events, and it has none' };
    if (agent !== undefined && to === 'module')
      return { path, message: 'says where the agent is, and that the state is the one of the module' };
  }
  return undefined;
};

/** Subjects of the log that hold the events of some entries; the server refuses filters that overlap. */
export const subjectsOfEvents = (entries: readonly string[]): readonly string[] =>
  entries
    .filter((each) => !entries.some((other) => other !== each && covers(other, each)))
    .flatMap(heardSubjects);

/** Subjects of the log that hold what a read model folds. */
export const foldedSubjects = (folds: Folds): readonly string[] => subjectsOfEvents(Object.keys(folds));

/** The modules whose events a read model folds. */
export const foldedModules = (folds: Folds): readonly string[] => [
  ...new Set(Object.keys(folds).map((each) => each.split('.', 1)[0] as string)),
];

/** The entry that folds an event, such as `accounts.deposited`. An exact one goes before `accounts.>`. */
export const entryFor = (folds: Folds, event: string): string | undefined => {
  if (Object.hasOwn(folds, event)) return event;
  const all = `${event.split('.', 1)[0]}.>`;
  return Object.hasOwn(folds, all) ? all : undefined;
};
