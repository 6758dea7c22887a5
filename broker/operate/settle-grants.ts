import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { Producer } from '../../journal/producer/producer.js';
import { readLog } from '../../journal/read/reader.js';
import { FaultError } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { isPrincipalName, principalAccount } from '../../schemas/names.js';
import { splitSubject } from '../../schemas/subjects.js';
import { ACCESS_MODULE, type Principal } from '../../schemas/access-requests.js';
import {
  type AccessChange,
  recordCommand,
  recordedRights,
  recordResult,
  unfinished,
} from '../access/grant-records.js';
import type { Principals } from '../access/principals.js';
import type { OpenCommands } from '../index/open-commands.js';

export interface SettleContext {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly producer: Pick<Producer, 'append'>;
  /** The open commands, once the index has read the log. */
  readonly commands: Pick<OpenCommands, 'pageOf'>;
  readonly principals: Principals;
}

/** The account that records what the broker has found. */
const BY_BROKER = 'broker';
const PAGE = 1_000;
const decoder = new TextDecoder();

/** The last word of the log about a principal. */
interface LastWord {
  readonly action: string;
  readonly data: string;
}

/** What the log says of each principal; an empty list costs one request. */
const lastWords = async ({ nc, jsm }: SettleContext): Promise<ReadonlyMap<string, LastWord>> => {
  const filter = `cmd.${ACCESS_MODULE}.>`;
  const { state } = await jsm.streams.info(LOG, { subjects_filter: filter });
  const words = new Map<string, LastWord>();
  if (Object.keys(state.subjects ?? {}).length === 0) return words;
  for await (const { subject, data } of readLog(nc, { filters: [filter] })) {
    const parts = splitSubject(subject);
    if (parts?.kind !== 'cmd' || parts.agent === undefined || !isPrincipalName(parts.agent)) continue;
    words.set(parts.agent, { action: parts.name, data: decoder.decode(data) });
  }
  return words;
};

const gone = (name: string): Principal => ({
  name,
  account: principalAccount(name),
  publicKey: '',
  allow: [],
  created: '',
  expires: null,
  by: BY_BROKER,
});

const stored = async (task: () => Promise<E.Either<{ readonly code: string }, number>>): Promise<number> => {
  const outcome = await task();
  if (E.isLeft(outcome)) throw new FaultError(outcome.left as never);
  return outcome.right;
};

/**
 * Makes the log say what holds: the file of principals is the truth of this broker, and it may differ from the log. A
 * broker was killed between the two, the log was full, or it is the copy of another broker's log, whose tokens do not
 * count here. Each difference becomes a record, by the account `broker`. Returns how many there were.
 */
export const settleGrants = async (context: SettleContext): Promise<number> => {
  const { principals, producer, commands } = context;
  const unsure = new Set<string>();
  for (let after = 0; ; ) {
    const page = commands.pageOf(ACCESS_MODULE, after, PAGE);
    for (const { seq, name, agent = '' } of page) {
      unsure.add(agent);
      await stored(recordResult(producer, { name, agent }, seq, unfinished));
    }
    after = page.at(-1)?.seq ?? after;
    if (page.length < PAGE) break;
  }
  const words = await lastWords(context);
  const changes: AccessChange[] = principals.all.flatMap((principal) => {
    const change: AccessChange = { action: 'grant', principal, by: BY_BROKER };
    const word = words.get(principal.name);
    const isSaid = word?.action === 'grant' && word.data === JSON.stringify(recordedRights(change));
    return isSaid && !unsure.has(principal.name) ? [] : [change];
  });
  for (const [name, { action }] of words) {
    const isGone = principals.find(principalAccount(name)) === undefined;
    if (isGone && (action !== 'revoke' || unsure.has(name)))
      changes.push({ action: 'revoke', principal: gone(name), by: BY_BROKER });
  }
  for (const change of changes) {
    const command = await stored(recordCommand(producer, change));
    const subject = { name: change.action, agent: change.principal.name };
    await stored(recordResult(producer, subject, command, E.right(undefined)));
  }
  return changes.length;
};
