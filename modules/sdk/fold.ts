import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { schemaOf } from '../../schemas/manifest.js';
import { causeOf, schemaVersionOf } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { hasSealed } from '../../schemas/sealed-value.js';
import { compileChecks } from './checks.js';
import type { AnyModule } from './module-shape.js';
import type { AnyEvent } from './checked-outcome.js';
import type { Foldable, FoldableRecord, ReadFoldable } from './foldable.js';
import { compileFolds } from './fold-others.js';
import { compileUpcast, type Upcast } from './upcast.js';

/** The keys with which the values of agents were encrypted. */
export interface RecordSeals {
  readonly isErased: (agent: string) => boolean;
  /** AGENT_ERASED, where the key is destroyed. */
  readonly check: (agent: string) => Either<Fault, void>;
  /** The payload with its values decrypted. AGENT_ERASED; SEALED. */
  readonly open: (agent: string, bytes: Uint8Array) => Either<Fault, Uint8Array>;
}

const decoder = new TextDecoder();
/** Bytes of the log are in buffers of Node's, whose own decoder takes half as long. */
const parse = (data: Uint8Array): unknown =>
  JSON.parse(Buffer.isBuffer(data) ? data.toString('utf8') : decoder.decode(data));

const DOT = '.';

/** The name and agent of `<own><name>[.<agent>]`; undefined where it is longer than the log's subjects are. */
const placeOf = (subject: string, own: string): { name: string; agent: string } | undefined => {
  const end = subject.indexOf(DOT, own.length);
  if (end < 0) return { name: subject.slice(own.length), agent: '' };
  if (subject.includes(DOT, end + 1)) return undefined;
  return { name: subject.slice(own.length, end), agent: subject.slice(end + 1) };
};

/** Events of the module's own agent in the outcome of a command. */
const eventsOf = (own: string, result: Result): readonly AnyEvent[] => {
  const events: AnyEvent[] = [];
  if (result.status !== 'ok' || result.out === undefined) return events;
  for (const { subject, data } of result.out) {
    const place = subject.startsWith(own) ? placeOf(subject, own) : undefined;
    if (place !== undefined) events.push({ name: place.name, data });
  }
  return events;
};

/** What the subjects of a module's own records begin with. */
interface Own {
  readonly results: string;
  readonly events: string;
}

/**
 * As it was recorded. States fold results, and of the events those that no command caused: others are copies, and
 * half of what is read. Every record of a rebuild goes through here, so subjects are not split where their beginning
 * will do.
 */
const recorded = (
  { results, events }: Own,
  record: FoldableRecord,
  opened: (agent: string, data: Uint8Array) => Uint8Array | undefined,
): Foldable | undefined => {
  const { subject } = record;
  const own = subject.startsWith(results) ? results : events;
  if (own === events && !subject.startsWith(events)) return undefined;
  if (own === events && causeOf(record) !== undefined) return undefined;
  const place = placeOf(subject, own);
  if (place === undefined) return undefined;
  const { name, agent } = place;
  const data = opened(agent, record.data);
  if (data === undefined) return { agent, events: [] };
  return own === results
    ? { agent, events: eventsOf(events, parse(data) as Result) }
    : { agent, events: [{ name, data: parse(data) }] };
};

/** Undefined: the agent is erased, and its records say nothing any more. Throws SEALED. */
const openedBy =
  (seals: RecordSeals | undefined, { manifest }: AnyModule) =>
  (agent: string, data: Uint8Array): Uint8Array | undefined => {
    if (seals === undefined) {
      if (manifest.encrypt !== true || !hasSealed(data)) return data;
      throw new FaultError(
        fault('SEALED', `the values of ${manifest.name} are encrypted, and no key is here`),
      );
    }
    if (seals.isErased(agent)) return undefined;
    const opened = seals.open(agent, data);
    if (isLeft(opened)) throw new FaultError(opened.left);
    return opened.right;
  };

const upcastAll = (
  upcast: Upcast,
  events: readonly AnyEvent[],
  from: number,
): Either<Fault, readonly AnyEvent[]> => {
  const all: AnyEvent[] = [];
  for (const event of events) {
    const lifted = upcast(event, from);
    if (isLeft(lifted)) return lifted;
    all.push(lifted.right);
  }
  return right(all);
};

/**
 * How the records of a log are read into the states of one module, in whichever process. Compiles the schemas and the
 * upcasters of the module once; UPCAST_INVALID. With `seals`, it decrypts the values; an erased
 * agent has no events.
 */
export const compileFoldable = (module: AnyModule, seals?: RecordSeals): Either<Fault, ReadFoldable> => {
  const { name, folds } = module.manifest;
  if (folds !== undefined) return right(compileFolds(name, folds));
  const own: Own = { results: `res.${name}.`, events: `evt.${name}.` };
  const schema = schemaOf(module.manifest);
  const compiled = compileUpcast(module, compileChecks(module.manifest));
  if (isLeft(compiled)) return compiled;
  const upcast = compiled.right;
  const opened = openedBy(seals, module);
  return right((record) => {
    let foldable: Foldable | undefined;
    try {
      foldable = recorded(own, record, opened);
    } catch (error) {
      if (error instanceof FaultError) return left(error.fault);
      return left(fault('FOLD_FAILED', `${record.subject} cannot be read: ${toFault(error).message}`));
    }
    // What says nothing of a state has no shape that could be another one.
    if (foldable === undefined || foldable.events.length === 0) return right(foldable);
    const version = schemaVersionOf(record);
    if (version === schema) return right(foldable);
    if (version === undefined) {
      return left(
        fault(
          'FOLD_FAILED',
          `${record.subject} has no version in ${HEADER.schema}: ${record.header(HEADER.schema)}`,
        ),
      );
    }
    if (version > schema) {
      const text = `${record.subject} is of schema version ${version}, the code of ${name} ${module.manifest.version} of ${schema}`;
      return left(
        fault('SCHEMA_TOO_NEW', `${text}: load the version of ${name} that wrote it, or a later one`),
      );
    }
    const { agent } = foldable;
    const events = upcastAll(upcast, foldable.events, version);
    return isLeft(events) ? events : right({ agent, events: events.right });
  });
};

/** The state after the events. Throws what the module's code throws, and where it has none for an event. */
export const foldEvents = (module: AnyModule, before: unknown, events: readonly AnyEvent[]): unknown => {
  let state = before;
  for (const { name, data } of events) {
    const evolve = module.evolve[name];
    // The state cannot follow what the code does not know.
    if (evolve === undefined) throw new Error(`${module.manifest.name} cannot fold event ${name}`);
    state = evolve(state, data);
  }
  return state;
};
