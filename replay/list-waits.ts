import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { recordsAt } from '../journal/read/records-at.js';
import { brokerDataDir } from '../link/broker-data-dir.js';
import { type Fault, toFault } from '../schemas/errors.js';
import { conversationOf, type StoredMessage } from '../schemas/record.js';
import type { Sleeping } from '../schemas/sleeping.js';
import { splitSubject } from '../schemas/subjects.js';
import {
  type NotedWait,
  type NotedWaits,
  OpenWaitsRead,
  type WaitListOptions,
} from '../store/log-index/open-waits-read.js';

/** Handlers that wait, those that are due first, a page at a time. */
export interface WaitPage {
  readonly waits: readonly Sleeping[];
  /** How many there are in all. */
  readonly count: number;
  /** What to give as `after` for the next page; null behind the last. */
  readonly next: string | null;
}

const notedWaits = (nc: NatsConnection, asked: WaitListOptions): TE.TaskEither<Fault, NotedWaits> =>
  pipe(
    brokerDataDir(nc),
    TE.chain((dataDir) => async () => {
      const files = new OpenWaitsRead(dataDir);
      try {
        return E.right(files.list(asked));
      } catch (thrown) {
        return E.left(toFault(thrown));
      } finally {
        await files.close();
      }
    }),
  );

const sleepingOf = (
  { command, call, module, until, signal, isPromise }: NotedWait,
  sent: StoredMessage | undefined,
  began: StoredMessage | undefined,
): Sleeping => {
  const subject = splitSubject(sent?.subject ?? '');
  const [action, agent, sender] =
    subject?.kind === 'cmd' ? [subject.name, subject.agent ?? null, subject.sender] : ['', null, ''];
  return {
    ...{ command, call, module, action, agent, sender },
    conversation: (sent === undefined ? undefined : conversationOf(sent)) ?? command,
    waitsFor: signal !== undefined ? 'signal' : isPromise ? 'promise' : 'sleep',
    ...{ signal: signal ?? null, since: began?.time ?? '', until },
  };
};

/** Reads a page as an operator: the index by memory map, and the records of its waits. */
export const listWaits = (nc: NatsConnection, asked: WaitListOptions): TE.TaskEither<Fault, WaitPage> =>
  pipe(
    notedWaits(nc, asked),
    TE.chain(({ waits, ...page }) =>
      pipe(
        recordsAt(
          { nc, prefix: '$JS.API' },
          waits.flatMap(({ command, seq }) => [command, seq]),
        ),
        TE.map((records) => ({
          waits: waits.map((wait, i) => sleepingOf(wait, records[2 * i], records[2 * i + 1])),
          ...page,
        })),
      ),
    ),
  );
