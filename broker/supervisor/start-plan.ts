import * as E from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';
import type { ModuleState } from '../../schemas/operate.js';
import { pipe } from 'fp-ts/lib/function.js';
import { checkCalls, checkGranted } from './cage-grants.js';
import { MANIFEST_FILE, type ModuleSource } from './manifest-file.js';
import type { Remembered } from './module-memory.js';

/** A module that stays at rest at this start, and what `status` says of it. */
export interface Rest {
  readonly state: Extract<ModuleState, 'known' | 'unloaded' | 'crashed'>;
  readonly reason: string | null;
}

export interface PlannedStart {
  readonly source: ModuleSource;
  /** What is remembered of it from now on. */
  readonly remembered: Remembered;
  /** Undefined: it is started. */
  readonly rest: Rest | undefined;
}

export interface StartInputs {
  /** Modules of the package; none with `--no-shipped`. */
  readonly shipped: readonly ModuleSource[];
  /** Those that `--module` names. */
  readonly given: readonly ModuleSource[];
  /** Whether a directory is one of the package's modules. */
  readonly isShipped: (dir: string) => boolean;
  readonly remembered: ReadonlyMap<string, Remembered>;
  readonly read: (dir: string) => E.Either<Fault, ModuleSource>;
  /** The operator grants what the manifests ask for. */
  readonly grant?: boolean | undefined;
}

const UNLOADED: Rest = { state: 'unloaded', reason: null };
const LEFT_OUT: Rest = { state: 'known', reason: 'left out by --no-shipped; its commands wait' };

const remembered = (source: ModuleSource, shipped: boolean, before: Remembered | undefined): Remembered => ({
  // What was removed and is named again is to run.
  intent: before?.intent === 'unloaded' ? 'unloaded' : 'loaded',
  dir: source.dir,
  shipped,
  parked: before?.parked ?? null,
  manifest: source.manifest,
});

/** A module as it was when it last ran. */
const lastKnown = ({ dir, manifest }: Remembered): ModuleSource => ({
  dir,
  manifestPath: `${dir}/${MANIFEST_FILE}`,
  manifest,
});

/** What is remembered stays, and the module does not start. */
const resting = (before: Remembered, why: string): PlannedStart => ({
  source: lastKnown(before),
  remembered: before,
  rest: { state: 'crashed', reason: `${why}; its commands wait` },
});

/**
 * The first start that names a module grants what it asks for. If it asks for more later, it waits for an operator.
 * Calls of a shipped module come with the package.
 */
const named = (
  source: ModuleSource,
  shipped: boolean,
  before: Remembered | undefined,
  grant = false,
): PlannedStart => {
  const granted =
    before === undefined || grant
      ? E.right(undefined)
      : pipe(
          checkGranted(source, before),
          E.chain(() => (shipped ? E.right(undefined) : checkCalls(source, before))),
        );
  if (before !== undefined && E.isLeft(granted)) {
    const { code, message } = granted.left;
    const how = `\`tallystick module reload ${source.manifest.name} ${source.dir} --grant\` grants it`;
    return resting(before, `${code}: ${message}. ${how}`);
  }
  const entry = remembered(source, shipped, before);
  return { source, remembered: entry, rest: entry.intent === 'unloaded' ? UNLOADED : undefined };
};

/** A module that the command line does not name. */
const kept = (name: string, before: Remembered, { read, grant }: StartInputs): PlannedStart => {
  const last = lastKnown(before);
  if (before.shipped)
    return { source: last, remembered: before, rest: before.intent === 'unloaded' ? UNLOADED : LEFT_OUT };
  if (before.intent === 'unloaded') return { source: last, remembered: before, rest: UNLOADED };
  const found = read(before.dir);
  if (E.isRight(found) && found.right.manifest.name === name) return named(found.right, false, before, grant);
  const why = E.isLeft(found)
    ? `${found.left.code}: ${found.left.message}`
    : `MANIFEST_INVALID: ${found.right.manifestPath} now names ${found.right.manifest.name}`;
  return resting(before, why);
};

/**
 * Which modules a start makes known, and which of them it starts: those that the package ships, those that the
 * command line names, and those that are remembered. What an operator unloaded stays unloaded, also where the command
 * line names it. A remembered directory has precedence over a shipped one of the same name.
 */
export const startPlan = (inputs: StartInputs): readonly PlannedStart[] => {
  const { shipped, given, isShipped, remembered: before, grant } = inputs;
  const givenNames = new Set(given.map(({ manifest }) => manifest.name));
  const plan: PlannedStart[] = [];
  const inPackage = new Map(shipped.map((source) => [source.manifest.name, source]));
  for (const [name, source] of inPackage) {
    const entry = before.get(name);
    const isElsewhere = entry !== undefined && !entry.shipped;
    if (!isElsewhere && entry?.intent !== 'removed') plan.push(named(source, true, entry, grant));
  }
  for (const source of given)
    plan.push(named(source, isShipped(source.dir), before.get(source.manifest.name), grant));
  for (const [name, entry] of before) {
    if (givenNames.has(name) || entry.intent === 'removed') continue;
    if (entry.shipped && inPackage.has(name)) continue;
    plan.push(kept(name, entry, inputs));
  }
  return plan;
};
