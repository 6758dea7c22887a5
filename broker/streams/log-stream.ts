import type { JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { addStream } from './add-stream.js';
import { breaksDurability } from './durable-stream.js';
import { keptStream } from './kept-stream.js';
import { START_ROOM_BYTES } from './log-space.js';
import { findStream } from './find-stream.js';
import { isThrown } from '../../link/jetstream-error.js';

const SHORTEST_WINDOW_NS = 100_000_000;

/** What the stream must be. One sequence orders calls, results and events; replay and time travel stand on that. */
export const logConfig = (maxBytes: number): Partial<StreamConfig> & { name: string } =>
  ({
    name: LOG,
    description: 'Tallystick: every command, result and event',
    subjects: [
      'cmd.*.*.*',
      'cmd.*.*.*.*',
      'evt.*.*',
      'evt.*.*.*',
      'res.*.*',
      'res.*.*.*',
      'step.*.*',
      'step.*.*.*',
      'wake.*.*',
      'wake.*.*.*',
      'cancel.*.*',
      'cancel.*.*.*',
      'restart.*.*',
      'restart.*.*.*',
      'signal.*.*.*',
      'epoch.>',
    ],
    ...keptStream(maxBytes),
    // Known to servers from 2.12 and 2.14; the client's types name them.
    allow_atomic: true,
    allow_batched: true,
    // The broker tells those who listen. The server would send every record, at the cost of storing it once more.
    republish: undefined,
    // `Nats-Msg-Id` is one key for all who write: a module's id must not swallow another module's record. The server
    // takes no shorter window (stream.go, 2.15.1), and 0 means two minutes.
    duplicate_window: SHORTEST_WINDOW_NS,
  }) as unknown as Partial<StreamConfig> & { name: string };

/** A setting that is not as it should be. */
export interface SettingDifference {
  readonly setting: string;
  readonly is: unknown;
  readonly wanted: unknown;
}

/** The server's report for a setting that was not given. */
const same = (is: unknown, wanted: unknown): boolean => {
  if (wanted === undefined) return is === undefined;
  if (typeof wanted === 'object' && wanted !== null && !Array.isArray(wanted)) {
    return Object.entries(wanted).every(([key, value]) =>
      same((is as Record<string, unknown> | undefined)?.[key], value),
    );
  }
  if (Array.isArray(wanted)) return JSON.stringify(is) === JSON.stringify(wanted);
  return [false, 0, 'default'].some((unset) => (is ?? unset) === wanted);
};

export const differences = (is: StreamConfig, wanted: Partial<StreamConfig>): readonly SettingDifference[] =>
  Object.entries(wanted)
    .filter(([setting, value]) => !same(is[setting as keyof StreamConfig], value))
    .map(([setting, value]) => ({ setting, is: is[setting as keyof StreamConfig], wanted: value }));

const describe = (all: readonly SettingDifference[]): string =>
  all
    .map(({ setting, is, wanted }) => `${setting} is ${JSON.stringify(is)}, needed ${JSON.stringify(wanted)}`)
    .join('; ');

/** The stream that is there; undefined when there is none. */
export const findLog = (jsm: JetStreamManager): Promise<StreamInfo | undefined> => findStream(jsm, LOG);

const addLog = async (jsm: JetStreamManager, maxBytes: number): Promise<StreamInfo> => {
  try {
    return await addStream(jsm, logConfig(maxBytes));
  } catch (error) {
    if (!isThrown(error, 'storageResourcesExceeded')) throw error;
    throw new Mismatch(
      `max_file_store of the server leaves no room for a log of ${maxBytes} bytes (${(error as Error).message}): ` +
        'raise max_file_store in its `jetstream` block, or start the broker with a smaller --max-bytes',
    );
  }
};

export interface EnsuredLog {
  readonly info: StreamInfo;
  /** What had to be updated; empty on most starts. */
  readonly updated: readonly SettingDifference[];
}

/**
 * Makes the stream, or checks the one that is there: what breaks durability, or cannot be updated, is `LOG_MISMATCH`
 * with each setting named, anything else is updated. Without `maxBytes` an existing limit stays; a new log gets
 * `defaultMaxBytes`. A limit that leaves no room for the epochs of a start is raised: a broker that cannot start
 * could finish nothing.
 */
export const ensureLog = (
  jsm: JetStreamManager,
  options: { readonly maxBytes?: number; readonly defaultMaxBytes: number },
): TE.TaskEither<Fault, EnsuredLog> =>
  TE.tryCatch(
    async () => {
      const existing = await findLog(jsm);
      if (existing === undefined) {
        return { info: await addLog(jsm, options.maxBytes ?? options.defaultMaxBytes), updated: [] };
      }
      const breaking = breaksDurability(existing.config);
      if (breaking.length > 0) {
        throw new Mismatch(`stream LOG does not keep what it acknowledges: ${breaking.join('; and ')}`);
      }
      const limit = options.maxBytes ?? existing.config.max_bytes;
      const wanted = logConfig(limit < 1 ? limit : Math.max(limit, existing.state.bytes + START_ROOM_BYTES));
      const found = differences(existing.config, wanted);
      if (found.length === 0) return { info: existing, updated: [] };
      try {
        const info = await jsm.streams.update(LOG, { ...existing.config, ...wanted });
        return { info, updated: found };
      } catch (error) {
        throw new Mismatch(
          `stream LOG differs and cannot be updated (${(error as Error).message}): ${describe(found)}`,
        );
      }
    },
    (error) =>
      error instanceof Mismatch ? fault('LOG_MISMATCH', error.message) : toFault(error, 'LOG_UNAVAILABLE'),
  );

class Mismatch extends Error {}
