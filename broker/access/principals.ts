import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { type Grant, parseGrants } from '../../schemas/grants.js';
import { parseInstant } from '../../schemas/instant.js';
import type { Principal } from '../../schemas/access-requests.js';
import type { Access } from './access.js';
import { limitsInForce } from './limits.js';
import { type PlannedPrincipal, roleOf } from './principal-plan.js';
import { PRINCIPALS_FILE, readPrincipals, writePrincipals } from './principal-file.js';

/** A principal with its grants as the broker judges by them. */
export interface KnownPrincipal extends PlannedPrincipal {
  readonly principal: Principal;
  /** When its token ends, milliseconds since 1970; infinite: never. */
  readonly expiresMs: number;
}

/** The clock may be set, so the end of a token is looked at again after this. */
const LOOK_MS = 30_000;
/** A server that did not take the accounts is asked again after this. */
const RETRY_MS = 1_000;

const known = (principal: Principal): E.Either<Fault, KnownPrincipal> =>
  E.map((rights: readonly Grant[]) => ({
    principal,
    account: principal.account,
    publicKey: principal.publicKey,
    rights,
    limits: limitsInForce(principal.limits),
    expiresMs: principal.expires === null ? Number.POSITIVE_INFINITY : (parseInstant(principal.expires) ?? 0),
  }))(parseGrants(principal.allow));

/**
 * Who has a token. The file in the data directory says so; the server's accounts follow it, and the log tells how it
 * came about. A token that is over is no user of the server any more, and stays in the list until it is revoked.
 */
export class Principals {
  #known: ReadonlyMap<string, KnownPrincipal>;
  #access: Pick<Access, 'setPrincipals' | 'shutOut' | 'letIn'> | undefined;
  /** A revocation has begun: these may do nothing more. */
  readonly #shut = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** The accounts that the server was told of last. */
  #told: ReadonlySet<string> = new Set();
  #hear: () => void = () => undefined;

  private constructor(
    private readonly path: string,
    all: readonly KnownPrincipal[],
    private readonly say: (text: string) => void,
  ) {
    this.#known = byAccount(all);
  }

  static open(dataDir: string, say: (text: string) => void): E.Either<Fault, Principals> {
    const path = join(dataDir, PRINCIPALS_FILE);
    const read = readPrincipals(path);
    if (E.isLeft(read)) return read;
    const all: KnownPrincipal[] = [];
    for (const principal of read.right) {
      const each = known(principal);
      if (E.isLeft(each)) return each;
      all.push(each.right);
    }
    return E.right(new Principals(path, all, say));
  }

  /** In the order in which they were made. */
  get all(): readonly Principal[] {
    return principalsOf(this.#known);
  }

  find(account: string): KnownPrincipal | undefined {
    return this.#known.get(account);
  }

  /** The same as it is asked for each request: undefined, as soon as its revocation has begun. */
  judged(account: string): KnownPrincipal | undefined {
    return this.#shut.has(account) ? undefined : this.#known.get(account);
  }

  /** Whether an account reads the whole log: the operator, and a principal with a role. */
  readsLog(account: string): boolean {
    return account === 'operator' || roleOf(this.judged(account)?.rights ?? []) !== undefined;
  }

  /** Whether an account may cancel the commands of all others: one that may redrive them. */
  keepsLog(account: string): boolean {
    const role = roleOf(this.judged(account)?.rights ?? []);
    return account === 'operator' || role === 'keeper' || role === 'admin';
  }

  /** Ends what a principal can do, before its turn among the changes comes. {@link remove} must follow. */
  shutOut(account: string): void {
    if (!this.#known.has(account)) return;
    this.#shut.add(account);
    this.#hear();
    this.#access?.shutOut(account);
  }

  /** Hears that rights have changed: as soon as the broker judges by the new ones. */
  onChange(hear: () => void): void {
    this.#hear = hear;
  }

  /** Those whose tokens are not over: the accounts of the server. */
  current(now = Date.now()): readonly KnownPrincipal[] {
    return [...this.#known.values()].filter(({ expiresMs }) => expiresMs > now);
  }

  /** From now on the server follows; it has the {@link current} ones. */
  follow(access: Pick<Access, 'setPrincipals' | 'shutOut' | 'letIn'>): void {
    this.#access = access;
    this.#told = accounts(this.current());
    this.#wait();
  }

  /** Adds or replaces a principal. The file has it first: a start after a crash gives what was granted. */
  put(principal: Principal): TaskEither<Fault, void> {
    return async () => {
      const added = known(principal);
      if (E.isLeft(added)) return added;
      return this.#become(new Map(this.#known).set(principal.account, added.right));
    };
  }

  /** Forgets a principal. Its connections are closed when this resolves. */
  remove(account: string): TaskEither<Fault, void> {
    return async () => {
      const rest = new Map(this.#known);
      rest.delete(account);
      const removed = await this.#become(rest);
      this.#shut.delete(account);
      if (this.#known.has(account)) this.#access?.letIn(account);
      return removed;
    };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#access = undefined;
  }

  async #become(next: ReadonlyMap<string, KnownPrincipal>): Promise<E.Either<Fault, void>> {
    const before = this.#known;
    const written = writePrincipals(this.path, principalsOf(next));
    if (E.isLeft(written)) return written;
    this.#known = next;
    this.#hear();
    const told = await this.#tell();
    // What was taken away stays so: the broker refuses it, and the server is asked again.
    if (E.isRight(told) || next.size < before.size) return told;
    this.#known = before;
    this.#hear();
    writePrincipals(this.path, principalsOf(before));
    await this.#tell();
    return told;
  }

  async #tell(): Promise<E.Either<Fault, void>> {
    if (this.#access === undefined) return E.right(undefined);
    const current = this.current();
    const told = await this.#access.setPrincipals(current)();
    if (E.isRight(told)) this.#told = accounts(current);
    this.#wait();
    return told;
  }

  /** Accounts that the server lets in, and that it should not. */
  #over(): readonly string[] {
    const current = accounts(this.current());
    return [...this.#told].filter((account) => !current.has(account));
  }

  /** Until a token is over, and then the server is told. */
  #wait(): void {
    clearTimeout(this.#timer);
    const now = Date.now();
    const ends = [...this.#known.values()].flatMap(({ account, expiresMs }) =>
      this.#told.has(account) && expiresMs > now && Number.isFinite(expiresMs) ? [expiresMs - now] : [],
    );
    const pauses = this.#over().length > 0 ? [RETRY_MS, ...ends] : ends;
    if (pauses.length === 0) return;
    this.#timer = setTimeout(() => void this.#look(), Math.min(LOOK_MS, ...pauses)).unref();
  }

  async #look(): Promise<void> {
    const over = this.#over();
    if (over.length === 0) return this.#wait();
    const told = await this.#tell();
    this.say(
      E.isRight(told)
        ? `the tokens of ${over.join(', ')} are over, and their connections are closed`
        : `the tokens of ${over.join(', ')} are over, and the server does not know yet: ${told.left.message}`,
    );
  }
}

const principalsOf = (all: ReadonlyMap<string, KnownPrincipal>): readonly Principal[] =>
  [...all.values()].map(({ principal }) => principal);

const accounts = (all: readonly KnownPrincipal[]): ReadonlySet<string> =>
  new Set(all.map(({ account }) => account));

const byAccount = (all: readonly KnownPrincipal[]): ReadonlyMap<string, KnownPrincipal> =>
  new Map(all.map((each) => [each.account, each]));
