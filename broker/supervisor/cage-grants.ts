import { resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { CageRequest } from '../../schemas/cage.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { covers } from '../../schemas/heard-events.js';
import type { Manifest } from '../../schemas/manifest.js';
import { isInside, realPath } from '../../system/cage/readable-paths.js';

/** A manifest, and the directory that its relative paths begin in. */
interface AskingModule {
  readonly dir: string;
  readonly manifest: Pick<Manifest, 'name' | 'cage' | 'on' | 'folds' | 'dependencies'>;
}

/** Where they are now. A link opens what it leads to. */
const paths = (dir: string, list: readonly string[] = []): readonly string[] =>
  list.map((path) => resolve(dir, path)).map((path) => realPath(path) ?? path);

const outside = (asked: readonly string[], granted: readonly string[]): string[] =>
  asked.filter((path) => !granted.some((dir) => isInside(dir, path)));

const besides = (asked: readonly number[] = [], granted: readonly number[] = []): number[] =>
  asked.filter((port) => !granted.includes(port));

/** What a module asks for that it was not granted: paths are absolute, and lists can be empty. */
export const widening = (asking: AskingModule, granted: AskingModule | undefined): Required<CageRequest> => {
  const { read, write, connect, listen } = asking.manifest.cage ?? {};
  const had = granted?.manifest.cage ?? {};
  const base = granted?.dir ?? '';
  const written = paths(base, had.write);
  return {
    read: outside(paths(asking.dir, read), [...paths(base, had.read), ...written]),
    write: outside(paths(asking.dir, write), written),
    connect: besides(connect, had.connect),
    listen: besides(listen, had.listen),
  };
};

/** The lists of a request in words; an empty text for a request that asks for nothing. */
export const requestText = ({ read, write, connect, listen }: CageRequest): string =>
  Object.entries({ read, write, 'connect to port': connect, 'listen on port': listen })
    .flatMap(([what, values = []]) => (values.length === 0 ? [] : [`${what} ${values.join(', ')}`]))
    .join('; ');

/** The events of others that a module reads: to handle them, or to fold them. */
const eventsOf = (asking: AskingModule | undefined): readonly string[] => [
  ...new Set(Object.keys({ ...asking?.manifest.on, ...asking?.manifest.folds })),
];

/** The events that a module wants to listen to, and was not granted. */
export const moreEvents = (asking: AskingModule, granted: AskingModule | undefined): readonly string[] => {
  const had = eventsOf(granted);
  return eventsOf(asking).filter((events) => !had.some((each) => covers(each, events)));
};

/**
 * CAGE_NOT_GRANTED if a module asks for more than it has been granted so far; LISTEN_NOT_GRANTED if it wants to listen
 * to more.
 */
export const checkGranted = (
  asking: AskingModule,
  granted: AskingModule | undefined,
): E.Either<Fault, void> => {
  const { name } = asking.manifest;
  const cage = requestText(widening(asking, granted));
  const events = moreEvents(asking, granted).join(', ');
  const heard = events === '' ? '' : `listen to ${events}`;
  if (cage !== '') {
    const more = heard === '' ? cage : `${cage}; ${heard}`;
    return E.left(fault('CAGE_NOT_GRANTED', `${name} asks for more than it may: ${more}`));
  }
  return heard === ''
    ? E.right(undefined)
    : E.left(fault('LISTEN_NOT_GRANTED', `${name} asks for more than it may: ${heard}`));
};

/** The actions of other modules that a module wants to call or send, and could not before. */
const moreCalls = (asking: AskingModule, granted: AskingModule): readonly string[] => {
  const had = granted.manifest.dependencies ?? {};
  return Object.entries(asking.manifest.dependencies ?? {}).flatMap(([module, actions]) => {
    const known: readonly string[] = Object.hasOwn(had, module) ? (had[module] ?? []) : [];
    return actions.filter((action) => !known.includes(action)).map((action) => `${module}.${action}`);
  });
};

/**
 * CALLS_NOT_GRANTED if a module that is known wants to call more than before. The operator who loads a module first
 * sees what it calls, and is asked when a new version calls more.
 */
export const checkCalls = (
  asking: AskingModule,
  granted: AskingModule | undefined,
): E.Either<Fault, void> => {
  const more = granted === undefined ? '' : moreCalls(asking, granted).join(', ');
  return more === ''
    ? E.right(undefined)
    : E.left(fault('CALLS_NOT_GRANTED', `${asking.manifest.name} asks for more than it may: call ${more}`));
};
