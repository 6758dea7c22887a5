import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import Type, { type Static } from 'typebox';
import { linkedRequest, whileLinked } from '../../link/linked-request.js';
import { parsePubAck } from '../../link/pub-ack.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import type { Subscription } from '../../schemas/subscription.js';
import { compileOnUse } from '../../schemas/validate.js';
import { ensurePositions, hasPositions, positionSubject, SUBS } from './subscription-stream.js';

const KeptSchema = Type.Object({
  /** Identity of the log that the position is of. */
  logId: Type.String(),
  events: Type.Array(Type.String()),
  agent: Type.Union([Type.String(), Type.Null()]),
  position: Type.Integer({ minimum: 0 }),
  session: Type.String(),
});
/** What is kept of a subscription. */
export type KeptSubscription = Readonly<Static<typeof KeptSchema>>;

/** In the place of the identity of a log: the position is of records that are gone. */
const LOST = 'lost';

/** The same, with the number of its message: who writes next must know it. */
export interface KeptPosition {
  readonly kept: KeptSubscription;
  readonly revision: number;
}

export type SubscriptionKey = Pick<Subscription, 'account' | 'name'>;

const TIMEOUT_MS = 5_000;
/** Accounts are bounded by their tokens, and each has few subscriptions: a list of all fits into one answer. */
const ALL = '*';

const check = compileOnUse<KeptSubscription>(KeptSchema, 'LOG_UNAVAILABLE', 'the position of a subscription');

/** Where the positions of subscriptions are kept. All methods throw `FaultError` or what the client throws. */
export class KeptPositions {
  #isThere = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly jsm: JetStreamManager,
  ) {}

  async read({ account, name }: SubscriptionKey): Promise<KeptPosition | undefined> {
    if (!(await this.#hasStream())) return undefined;
    const subject = positionSubject(account, name);
    const found = await whileLinked(this.nc, () =>
      this.jsm.streams.getMessage(SUBS, { last_by_subj: subject }),
    );
    if (found === null) return undefined;
    const json = parseJson(found.data);
    const kept = E.isLeft(json) ? json : check(json.right);
    if (E.isLeft(kept)) throw new FaultError(kept.left);
    return { kept: kept.right, revision: found.seq };
  }

  /**
   * Stores a position. `after`: the message that it replaces, 0 for none. EPOCH_LOST: another broker has written since,
   * and nothing is stored. Any other fault: it may be stored.
   */
  async write(
    { account, name }: SubscriptionKey,
    kept: KeptSubscription,
    after: number,
  ): Promise<E.Either<Fault, number>> {
    if (!(await this.#hasStream())) {
      await ensurePositions(this.jsm);
      this.#isThere = true;
    }
    const headers = makeHeaders();
    // Two brokers may have the same server for a moment: none of them takes back what the other stored.
    headers.set('Nats-Expected-Last-Subject-Sequence', String(after));
    const subject = positionSubject(account, name);
    const options = { headers, timeout: TIMEOUT_MS };
    const ack = parsePubAck(await linkedRequest(this.nc, subject, JSON.stringify(kept), options));
    return E.map(({ seq }: { readonly seq: number }) => seq)(ack);
  }

  async remove({ account, name }: SubscriptionKey): Promise<void> {
    if (!(await this.#hasStream())) return;
    await whileLinked(this.nc, () =>
      this.jsm.streams.purge(SUBS, { filter: positionSubject(account, name) }),
    );
  }

  /** The keys of all subscriptions of an account, or of all accounts, in order. */
  async keys(account = ALL): Promise<readonly SubscriptionKey[]> {
    if (!(await this.#hasStream())) return [];
    const filter = positionSubject(account, ALL);
    const { state } = await whileLinked(this.nc, () =>
      this.jsm.streams.info(SUBS, { subjects_filter: filter }),
    );
    return Object.keys(state.subjects ?? {})
      .sort()
      .map((subject) => {
        const [, owner = '', name = ''] = subject.split('.');
        return { account: owner, name };
      });
  }

  /**
   * The log has lost records behind a sequence. The positions behind it are of records that are gone: a log that grows
   * again would pass them, and its new records would be skipped. Done again, it changes nothing.
   */
  async lose(behind: number): Promise<void> {
    for (const key of await this.keys()) {
      const found = await this.read(key);
      if (found === undefined || found.kept.position <= behind || found.kept.logId === LOST) continue;
      const written = await this.write(key, { ...found.kept, logId: LOST }, found.revision);
      if (E.isLeft(written)) throw new FaultError(notStored(written.left));
    }
  }

  async #hasStream(): Promise<boolean> {
    if (this.#isThere) return true;
    this.#isThere = await whileLinked(this.nc, () => hasPositions(this.jsm));
    return this.#isThere;
  }
}

/** The fault of a position that could not be stored. */
export const notStored = ({ code, message }: Fault): Fault =>
  fault(code === 'LOG_FULL' ? 'LOG_FULL' : 'LOG_UNAVAILABLE', `the position may not be stored: ${message}`);
