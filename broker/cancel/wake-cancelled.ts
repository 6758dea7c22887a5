import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { recordsAt } from '../../journal/read/records-at.js';
import { cancelledFault } from '../../schemas/cancel.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Announces } from '../../system/async/announcer.js';
import { pause } from '../../system/async/pause.js';
import { stepIn } from '../gateway/replayed-call.js';
import type { IndexNews, LogIndex } from '../index/log-index.js';
import type { OpenCommand } from '../index/open-commands.js';
import type { Wakes } from '../waits/wakes.js';

type KnownLog = Announces<IndexNews> & Pick<LogIndex, 'commands' | 'cancelled'>;

const RETRY_MS = 1_000;

/** The record of a wait that a cancel ends: it is no part of a compensation. */
const isEndedByCancel = (record: StoredMessage): boolean => {
  const step = stepIn(record);
  return step?.status === 'waiting' && step.shielded !== true;
};

/**
 * Wakes handlers that wait when their command is cancelled: the wait is where they meet the cancel. A handler that has
 * met it, or that undoes what it has done, waits as long as it likes.
 */
export const wakeCancelled = (nc: NatsConnection, index: KnownLog, wakes: Pick<Wakes, 'wake'>): void => {
  /** Commands whose wake is on its way. */
  const waking = new Set<number>();
  /** Those that began to wait meanwhile: they are looked at again. */
  const again = new Set<number>();
  let isCaughtUp = false;

  /** The records at these sequences; undefined: the broker ends. */
  const read = async (seqs: readonly number[]): Promise<readonly StoredMessage[] | undefined> => {
    for (;;) {
      const found = seqs.length === 0 ? E.right([]) : await recordsAt({ nc, prefix: '$JS.API' }, seqs)();
      if (E.isRight(found)) return found.right.filter((each) => each !== undefined);
      if (nc.isClosed()) return undefined;
      await pause(RETRY_MS, { ref: false });
    }
  };

  /** The number of the wait where the handler meets the cancel; undefined: none. */
  const waitToEnd = async ({ seq, module }: OpenCommand): Promise<number | undefined> => {
    const { commands, cancelled } = index;
    const children = new Set(cancelled.get(module, seq)?.children);
    const ended = [...commands.callsOf(seq)].flatMap((call) =>
      children.has(call.seq) && call.resultSeq !== null ? [call.resultSeq] : [],
    );
    // A call that ended with CANCELLED has told the handler.
    const results = await read(ended);
    if (results?.some((result) => result.header(HEADER.cancelled) !== undefined) !== false) return undefined;
    const waits = commands.waitsOf(seq).flatMap(({ call }) => {
      const made = commands.call(seq, call);
      return made === undefined ? [] : [{ call, seq: made.seq }];
    });
    const records = await read(waits.map((wait) => wait.seq));
    const open = new Set(records?.filter(isEndedByCancel).map((record) => record.seq));
    return waits.find((wait) => open.has(wait.seq))?.call;
  };

  const wake = async (command: OpenCommand): Promise<void> => {
    const call = await waitToEnd(command);
    const now = index.commands.get(command.seq);
    if (call === undefined || now === undefined || now.isCancelMet) return;
    const { code, message } = cancelledFault(now.cancel);
    await wakes.wake(command.seq, { status: 'failed', error: { code, message } }, call);
  };

  const look = (command: OpenCommand | undefined): void => {
    if (command === undefined || command.cancel === 0 || command.isCancelMet) return;
    const { seq } = command;
    if (index.commands.waitsOf(seq).length === 0) return;
    if (waking.has(seq)) return void again.add(seq);
    waking.add(seq);
    void wake(command).finally(() => {
      waking.delete(seq);
      if (again.delete(seq)) look(index.commands.get(seq));
    });
  };
  index.on('cancelled', look);
  // The module may learn of the cancel just after the wait began.
  index.on('wait', (seq) => {
    if (isCaughtUp) look(index.commands.get(seq));
  });
  index.on('caughtUp', () => {
    isCaughtUp = true;
    for (const seq of index.cancelled.all()) look(index.commands.get(seq));
  });
};
