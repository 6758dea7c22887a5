import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { isClientError } from '../../link/client-error.js';
import { dial } from '../../link/dial.js';
import { linkState } from '../../link/link-state.js';
import { authenticatorOf } from '../../link/nkey.js';
import { isSeed } from '../../link/token-file.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { ReadRights } from '../../schemas/http-process.js';

/** The scheme of the header `Authorization`: a token is the seed of its file. */
const BEARER = /^Bearer +(\S+)$/i;
const CONNECT_MS = 5_000;
const REDIAL_MS = 200;
/** Principals at the same time. The one that has asked for the longest time nothing makes room. */
const MOST = 256;
/** A principal that asks nothing for so long is disconnected. */
const IDLE_MS = 60_000;
const SWEEP_MS = 10_000;

/** Without a credential; no seed is empty. */
const GUEST = '';

/** What is known of a principal as long as its connection lasts. */
export interface PrincipalLink {
  /** The secret of its token; `''`: a guest. */
  readonly seed: string;
  /** By module, what it may read; null: the broker must be asked for each state. */
  readonly rights: Map<string, ReadRights | null>;
}

interface KeptLink extends PrincipalLink {
  readonly opened: Promise<E.Either<Fault, NatsConnection>>;
  /** Once it is open. */
  nc?: NatsConnection;
  usedAt: number;
  /** Requests that are under way. */
  inHand: number;
}

/** A connection of a principal, until the request is answered. */
export interface LentLink {
  readonly nc: NatsConnection;
  readonly giveBack: () => void;
}

export interface PrincipalLinksOptions {
  readonly natsUrl: string;
  readonly most?: number;
  readonly idleMs?: number;
}

/** The seed in the header `Authorization`; `''` without a header. SERVER_REFUSED: it has none that can be one. */
export const credentialIn = (authorization: string | undefined): E.Either<Fault, string> => {
  if (authorization === undefined) return E.right(GUEST);
  const seed = BEARER.exec(authorization)?.[1];
  return seed !== undefined && isSeed(seed)
    ? E.right(seed)
    : E.left(
        fault(
          'SERVER_REFUSED',
          'Authorization is not `Bearer SEED`: the seed is the last line of a token file',
        ),
      );
};

/**
 * One connection to the server for each principal that asks. The server and the broker know it there by its account. So
 * grants, limits, turns and the audit are those of NATS, and a revocation closes the connection.
 */
export class PrincipalLinks {
  readonly #kept = new Map<string, KeptLink>();
  readonly #most: number;
  readonly #idleMs: number;
  readonly #sweeping: NodeJS.Timeout;

  constructor(private readonly options: PrincipalLinksOptions) {
    this.#most = options.most ?? MOST;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** The connection for a request, by its header `Authorization`. It must be given back. */
  async lend(authorization: string | undefined, again = true): Promise<E.Either<Fault, LentLink>> {
    const seed = credentialIn(authorization);
    if (E.isLeft(seed)) return seed;
    const kept = this.#of(seed.right);
    if (kept === undefined)
      return E.left(
        fault('OVERLOADED', `${this.#most} principals have requests under way; try again in 1 s`),
      );
    kept.inHand += 1;
    kept.usedAt = performance.now();
    const giveBack = (): void => {
      kept.inHand -= 1;
      kept.usedAt = performance.now();
    };
    const opened = await kept.opened;
    if (E.isRight(opened)) {
      const nc = opened.right;
      if (!nc.isClosed() && linkState(nc).isUp) return E.right({ nc, giveBack });
      // A new connection tells why: the token is revoked, or the server does not answer.
      if (this.#kept.get(seed.right) === kept) this.#forget(seed.right);
      void nc.close();
      return again ? this.lend(authorization, false) : E.left(gone());
    }
    giveBack();
    return opened;
  }

  /** The principal of a request, if its connection is open now. */
  open(authorization: string | undefined): PrincipalLink | undefined {
    const seed = authorization === undefined ? GUEST : BEARER.exec(authorization)?.[1];
    const kept = seed === undefined ? undefined : this.#kept.get(seed);
    if (kept?.nc === undefined || kept.nc.isClosed() || !linkState(kept.nc).isUp) return undefined;
    kept.usedAt = performance.now();
    return kept;
  }

  /** What the broker said of rights before does not hold. */
  forgetRights(): void {
    for (const { rights } of this.#kept.values()) rights.clear();
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(all.map(closed));
  }

  #of(seed: string): KeptLink | undefined {
    const known = this.#kept.get(seed);
    if (known !== undefined) return known;
    if (this.#kept.size >= this.#most && !this.#makeRoom()) return undefined;
    const opened = this.#open(seed);
    const kept: KeptLink = { seed, rights: new Map(), opened, usedAt: performance.now(), inHand: 0 };
    this.#kept.set(seed, kept);
    void opened.then((link) => {
      if (E.isRight(link)) kept.nc = link.right;
    });
    return kept;
  }

  async #open(seed: string): Promise<E.Either<Fault, NatsConnection>> {
    try {
      const nc = await dial({
        servers: this.options.natsUrl,
        timeout: CONNECT_MS,
        name: 'tallystick http',
        redialMs: REDIAL_MS,
        ...(seed === GUEST ? {} : { authenticator: authenticatorOf(seed) }),
      });
      // Dialled again with a credential that the server no longer takes, it ends. The next request gets the reason.
      void nc.closed().then(() => this.#forget(seed));
      return E.right(nc);
    } catch (thrown) {
      this.#forget(seed);
      return E.left(refusedBy(thrown, seed === GUEST));
    }
  }

  #forget(seed: string): void {
    this.#kept.delete(seed);
  }

  #makeRoom(): boolean {
    let oldest: KeptLink | undefined;
    for (const kept of this.#kept.values())
      if (kept.inHand === 0 && kept.usedAt < (oldest?.usedAt ?? Number.POSITIVE_INFINITY)) oldest = kept;
    if (oldest === undefined) return false;
    this.#forget(oldest.seed);
    void closed(oldest);
    return true;
  }

  #sweep(): void {
    const before = performance.now() - this.#idleMs;
    for (const [seed, kept] of this.#kept) {
      if (kept.inHand > 0 || kept.usedAt > before) continue;
      this.#forget(seed);
      void closed(kept);
    }
  }
}

const closed = async ({ opened }: KeptLink): Promise<void> => {
  const link = await opened;
  if (E.isRight(link)) await link.right.close();
};

const gone = (): Fault => fault('BROKER_UNREACHABLE', 'the connection to the server was lost');

const refusedBy = (thrown: unknown, isGuest: boolean): Fault => {
  if (isClientError(thrown, 'AuthorizationError', 'UserAuthenticationExpiredError'))
    return isGuest
      ? fault(
          'SERVER_REFUSED',
          'the broker lets in nobody without a token: send `Authorization: Bearer SEED`',
        )
      : fault(
          'SERVER_REFUSED',
          'the broker knows no such token: it is revoked, it has expired, or it never was one',
        );
  return fault('BROKER_UNREACHABLE', `the server does not answer: ${(thrown as Error).message}`);
};
