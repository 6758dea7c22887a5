import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { FaultError, toFault } from '../../schemas/errors.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { LogIndex } from '../index/log-index.js';
import type { Draft } from '../../journal/append/draft.js';
import { linkedRequest } from '../../link/linked-request.js';
import { parsePubAck } from '../../link/pub-ack.js';
import { HEADER } from '../../schemas/headers.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { carriedHeaders, definitionHeaders, firedDraft, readServerSchedule } from './definition.js';
import { firingKey } from '../../schemas/firing.js';
import { readOne, readPage, type StreamMessage } from './page.js';
import {
  ALL_SERVER_FIRINGS,
  ALL_SERVER_SCHEDULES,
  ensureSchedules,
  hasSchedules,
  laterOf,
  SCHED,
} from '../streams/schedule-stream.js';

export interface TakeOverOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly index: Pick<LogIndex, 'lastFiring'>;
  /** Stores commands in the log; resolves when the index has them. */
  readonly store: (drafts: readonly Draft[]) => Promise<void>;
  readonly log: (text: string) => void;
}

const PUBLISH_TIMEOUT_MS = 10_000;
/** The server says in these headers when it fires next, and that it does not. */
const NEXT = 'Nats-Schedule-Next';
const LAST = 'purge';

/**
 * Takes over what an earlier broker left to the server, which left out firings in some zones: its schedules become
 * the broker's own, under their ids, and what they had fired comes into the log, each firing once. Each step can be
 * made again.
 */
export const takeOverServerSchedules = async (options: TakeOverOptions): Promise<void> => {
  const { nc, jsm, log } = options;
  if (!(await hasSchedules(jsm))) return;
  await ensureSchedules(jsm);
  let count = 0;
  for (let from = 1; ; ) {
    const page = await readPage(nc, ALL_SERVER_SCHEDULES, from);
    for (const stored of page) if (await convert(options, stored)) count += 1;
    const last = page.at(-1);
    if (last === undefined) break;
    from = last.seq + 1;
  }
  if (count > 0) log(`${count} schedules of an earlier version are taken over`);
  for (;;) {
    const page = await readPage(nc, ALL_SERVER_FIRINGS, 1);
    const last = page.at(-1);
    if (last === undefined) return;
    await storeFirings(options, page);
    await jsm.streams.purge(SCHED, { filter: ALL_SERVER_FIRINGS, seq: last.seq + 1 });
  }
};

const convert = async ({ nc, jsm, log }: TakeOverOptions, stored: StreamMessage): Promise<boolean> => {
  const definition = readServerSchedule(stored);
  if (definition === undefined) {
    log(`message ${stored.seq} on ${stored.subject} is no schedule that this broker can read; it stays`);
    return false;
  }
  const subject = laterOf(definition.id);
  if ((await readOne(nc, subject)) === undefined) {
    const headers = definitionHeaders(definition, carriedHeaders(stored.header));
    const options = { headers, timeout: PUBLISH_TIMEOUT_MS };
    const ack = parsePubAck(await linkedRequest(nc, subject, stored.data, options));
    if (isLeft(ack)) throw new FaultError(toFault(new FaultError(ack.left)));
  }
  await jsm.streams.purge(SCHED, { filter: stored.subject });
  return true;
};

/** Stores what the log does not have: a server that is killed fires again what it fired. */
const storeFirings = async (
  { index, store, log }: TakeOverOptions,
  page: readonly StreamMessage[],
): Promise<void> => {
  const come = new Map<string, number>();
  const drafts: Draft[] = [];
  for (const stored of page) {
    const next = stored.header.get(NEXT);
    const draft = firedDraft(stored, stored.header.get(HEADER.schedule), next === LAST ? undefined : next);
    const command = splitSubject(draft.subject);
    const { headers = {} } = draft;
    const firing = command?.kind === 'cmd' ? firingKey(command.sender, (name) => headers[name]) : undefined;
    if (firing === undefined) {
      log(`message ${stored.seq} of ${SCHED} is no firing of a schedule; it is left out`);
      continue;
    }
    const { schedule, nextMs } = firing;
    const last = come.get(schedule) ?? index.lastFiring(schedule);
    if (last !== undefined && nextMs <= last) continue;
    come.set(schedule, nextMs);
    drafts.push(draft);
  }
  await store(drafts);
};
