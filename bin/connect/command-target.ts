import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { findTarget, type Target, type TargetOptions } from '../../link/target.js';
import { DEFAULT_DATA_DIR } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type BrokerContext, contextNamed, contextsFile, readContexts } from './contexts.js';

/** What a command takes to find its broker. */
export interface CommandTarget extends TargetOptions {
  /** The name of a context. */
  readonly context?: string;
}

/** The broker of a command. */
export interface FoundTarget extends Target {
  /** The context that names it. */
  readonly context?: string;
  /** The chosen context that does not count here, because the working directory has a data directory. */
  readonly passedOver?: string;
}

const ofContext = (
  { name, ...place }: BrokerContext,
  options: CommandTarget,
): E.Either<Fault, FoundTarget> => {
  const { tlsCa, tlsCert, tlsKey } = options;
  const typed = { ...(tlsCa && { tlsCa }), ...(tlsCert && { tlsCert }), ...(tlsKey && { tlsKey }) };
  // Without the environment: a context says all of it.
  return E.map((target: Target) => ({ ...target, source: `context ${name}`, context: name }))(
    findTarget({ ...place, ...typed }, {}),
  );
};

const isNamed = ({ data, server, token }: CommandTarget, env: NodeJS.ProcessEnv): boolean =>
  [data, server, token, env.TALLYSTICK_TOKEN, env.NATS_URL].some((each) => (each ?? '') !== '');

/**
 * The broker that a command means: `--context`, else what {@link findTarget} finds by options and variables, else the
 * data directory in the working directory, else the chosen context. The directory goes before the context: a command
 * that is meant for the broker here must not reach another one. See docs/decisions/0074.
 */
export const findCommandTarget = (
  options: CommandTarget,
  env: NodeJS.ProcessEnv = process.env,
): E.Either<Fault, FoundTarget> => {
  const { context, ...rest } = options;
  if (context !== undefined) {
    const { data, server, token } = options;
    if (data !== undefined || server !== undefined || token !== undefined) {
      const message = '--context names a broker and a credential; leave out --data, --server and --token';
      return E.left(fault('USAGE', message));
    }
    const all = readContexts(contextsFile(env));
    if (E.isLeft(all)) return all;
    const found = contextNamed(all.right, context);
    return E.isLeft(found) ? found : ofContext(found.right, options);
  }
  if (isNamed(options, env)) return findTarget(rest, env);
  const all = readContexts(contextsFile(env));
  if (E.isLeft(all)) return all;
  const { current } = all.right;
  if (current === null) return findTarget(rest, env);
  if (existsSync(resolve(DEFAULT_DATA_DIR))) {
    const advice = `; the context ${current} does not count in a directory with ./${DEFAULT_DATA_DIR}: use --context ${current}`;
    const here = findTarget(rest, env);
    if (E.isRight(here)) return E.right({ ...here.right, passedOver: current });
    return E.left({ ...here.left, message: `${here.left.message}${advice}` });
  }
  const found = contextNamed(all.right, current);
  return E.isLeft(found) ? found : ofContext(found.right, options);
};
