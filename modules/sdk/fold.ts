import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { schemaOf } from '../../schemas/manifest.js';
import { schemaVersionOf, type StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { splitSubject } from '../../schemas/subjects.js';
import { compileChecks } from './checks.js';
import type { AnyModule } from './module.js';
import type { AnyEvent } from './outcome.js';
import { compileUpcast, type Upcast } from './upcast.js';

/** What of a record a state is made of. */
export type FoldableRecord = Pick<StoredMessage, 'subject' | 'header' | 'data'>;

/** What one record says of a module's states. */
export interface Foldable {
  /** Whose state; empty for that of the module itself. */
  readonly agent: string;
  /** What happened to it, in order, in the shapes of today's manifest. */
  readonly events: readonly AnyEvent[];
  /** Of a result: the command that it answers. */
  readonly cause: number | undefined;
}

/**
 * Reads one record: undefined where it says nothing of the module's states. SCHEMA_TOO_NEW, where its events are of a later
 * version than the module's code; FOLD_FAILED, where they cannot be read or be given the shapes of today.
 */
export type ReadFoldable = (record: FoldableRecord) => Either<Fault, Foldable | undefined>;

const decoder = new TextDecoder();
/** Bytes of the log are in buffers of Node's, whose own decoder takes half as long. */
const parse = (data: Uint8Array): unknown =>
  JSON.parse(Buffer.isBuffer(data) ? data.toString('utf8') : decoder.decode(data));

/** Events of the module's own agent in the outcome of a command. */
const eventsOf = (module: string, result: Result): readonly AnyEvent[] => {
  const events: AnyEvent[] = [];
  if (result.status !== 'ok' || result.out === undefined) return events;
  const own = `evt.${module}.`;
  for (const { subject, data } of result.out) {
    if (!subject.startsWith(own)) continue;
    const parsed = splitSubject(subject);
    if (parsed?.kind === 'evt') events.push({ name: parsed.name, data });
  }
  return events;
};

/** As it was recorded. States fold results, and of the events those that no command caused: others are copies. */
const recorded = (module: string, record: FoldableRecord): Foldable | undefined => {
  const { subject: text } = record;
  const cause = parseSequence(record.header(HEADER.cause) ?? '');
  // Half of what is read are copies.
  if (cause !== undefined && text.startsWith('evt.')) return undefined;
  const subject = splitSubject(text);
  if (subject === undefined || (subject.kind !== 'res' && subject.kind !== 'evt')) return undefined;
  if (subject.module !== module) return undefined;
  const { name, agent = '' } = subject;
  return subject.kind === 'res'
    ? { agent, events: eventsOf(module, parse(record.data) as Result), cause }
    : { agent, events: [{ name, data: parse(record.data) }], cause };
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
 * upcasters of the module once; UPCAST_INVALID.
 */
export const compileFoldable = (module: AnyModule): Either<Fault, ReadFoldable> => {
  const { name } = module.manifest;
  const schema = schemaOf(module.manifest);
  const compiled = compileUpcast(module, compileChecks(module.manifest));
  if (isLeft(compiled)) return compiled;
  const upcast = compiled.right;
  return right((record) => {
    let foldable: Foldable | undefined;
    try {
      foldable = recorded(name, record);
    } catch (error) {
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
    const { agent, cause } = foldable;
    const events = upcastAll(upcast, foldable.events, version);
    return isLeft(events) ? events : right({ agent, events: events.right, cause });
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
