import { isRight } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Durability } from '../../schemas/log.js';
import { linkState } from '../../link/link-state.js';
import type { JetStreamSettings, Link } from './link.js';
import { memoryFileSystem } from './store-disk.js';
import { pause } from '../../system/async/pause.js';

const LAZY =
  'sync_interval of the server is not "always": it acknowledges records before they are on its disk, and durability ' +
  'fsync promises that they are: set `sync_interval: always` in its `jetstream` block and start it again, or start the ' +
  'broker with --durability os';

const inMemory = (dir: string, kind: string): string =>
  `store_dir of the server, ${dir}, is on a ${kind}, which is gone with the power, and durability fsync promises that ` +
  'records are not: put it on a disk, or start the broker with --durability os';

const isLocal = (url: string): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);

/** What of the server breaks a level, in words. Its disk can be looked at only where it is one of this machine. */
const breaksLevel = (
  { sync_always, store_dir }: JetStreamSettings,
  durability: Durability,
  url: string,
): string | undefined => {
  if (durability === 'os') return undefined;
  if (sync_always !== true) return LAZY;
  const kind = store_dir !== undefined && isLocal(url) ? memoryFileSystem(store_dir) : undefined;
  return kind === undefined ? undefined : inMemory(store_dir ?? '', kind);
};

/** A level that the server does not keep must not be claimed: `LOG_MISMATCH` names the setting and what to set. */
export const checkDurableServer = (
  link: Link,
  durability: Durability,
  url: string,
): TE.TaskEither<Fault, void> =>
  pipe(
    link.jetStreamSettings(),
    TE.chain((settings) => {
      const problem = breaksLevel(settings, durability, url);
      return problem === undefined ? TE.right(undefined) : TE.left(fault('LOG_MISMATCH', problem));
    }),
  );

const RETRY_MS = 500;
const TRIES = 20;

/**
 * Checks again whenever the server came back, since it may have another configuration then. `onBroken` is told of what
 * breaks the level; a server that does not say is asked again for a while.
 */
export const watchDurableServer = (
  link: Link,
  durability: Durability,
  url: string,
  onBroken: (problem: Fault) => void,
): (() => void) => {
  let stopped = false;
  const check = async (): Promise<void> => {
    for (let i = 0; i < TRIES && !stopped && state.isUp; i++) {
      const checked = await checkDurableServer(link, durability, url)();
      if (isRight(checked)) return;
      if (checked.left.code === 'LOG_MISMATCH') return onBroken(checked.left);
      await pause(RETRY_MS);
    }
  };
  const state = linkState(link.nc);
  const forget = state.onChange(() => {
    if (state.isUp) void check();
  });
  return () => {
    stopped = true;
    forget();
  };
};
