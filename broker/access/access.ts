import { writeFileSync } from 'node:fs';
import { pipe } from 'fp-ts/lib/function.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { LimitsInForce } from '../serving/limits-in-force.js';
import type { Fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import { type AccountPlan, modulePlan, operatorPlan } from './accounts.js';
import { newUserKey, type UserKey } from '../../link/nkey.js';
import { type PlannedPrincipal, principalPlan } from './principal-plan.js';
import { SerialQueue } from '../../system/async/serial-queue.js';

/** What the broker's own connections and the operator authenticate with. */
export interface BrokerKeys {
  readonly core: UserKey;
  readonly system: UserKey;
  readonly operator: UserKey;
}

export interface AccessOptions {
  readonly keys: BrokerKeys;
  readonly configPath: string;
  /** The whole configuration file for these accounts. */
  readonly render: (accounts: readonly AccountPlan[]) => string;
  /**
   * Has the running server read its configuration again; does nothing while it is down, since it reads it at its
   * start.
   */
  readonly reload: () => TaskEither<Fault, void>;
  /** Has the running server close all connections of an account, and all that it opens until {@link letIn}. */
  readonly keepOut: (account: string) => Promise<void>;
  readonly letIn: (stillOut: ReadonlySet<string>) => void;
  /** The account of clients without a credential; none: the server refuses their connections. */
  readonly guests: readonly AccountPlan[];
  /** The limits of an account without a token. */
  readonly limitsFor: (account: string) => LimitsInForce;
  /** Makes a module's key: a new one for each of its processes where the broker runs the server. */
  readonly moduleKey?: (module: string) => UserKey;
}

/**
 * Who may connect, as the server's configuration says it. One file holds all accounts, so changes are made one after
 * the other.
 */
export class Access {
  readonly #modules = new Map<string, AccountPlan>();
  /** Keys that the configuration has and no process was given yet. */
  readonly #unused = new Map<string, { readonly manifest: Manifest; readonly key: UserKey }>();
  #principals: readonly PlannedPrincipal[] = [];
  readonly #changes = new SerialQueue();
  /** Is called when an account is kept out; what it returns, when the server knows by itself. */
  #onShutOut: () => () => void = () => () => undefined;
  #shutOver: (() => void) | undefined;
  /** Kept out before the change that takes them away. */
  readonly #early = new Set<string>();

  constructor(private readonly options: AccessOptions) {}

  /** Writes the first configuration. The accounts of modules and principals that are known now need no reload. */
  prepare(manifests: readonly Manifest[], principals: readonly PlannedPrincipal[] = []): void {
    this.#principals = principals;
    for (const manifest of manifests) {
      const key = this.#newUserKey(manifest.name);
      this.#unused.set(manifest.name, { manifest, key });
      this.#modules.set(
        manifest.name,
        modulePlan(manifest, key.publicKey, this.options.limitsFor(manifest.name)),
      );
    }
    this.#write();
  }

  /** Gives a module its account under a new key and shuts out the holder of the old one. */
  grant(manifest: Manifest): TaskEither<Fault, UserKey> {
    const unused = this.#unused.get(manifest.name);
    this.#unused.delete(manifest.name);
    // A manifest that was read again since may grant other things.
    if (unused?.manifest === manifest) return TE.right(unused.key);
    const key = this.#newUserKey(manifest.name);
    const isNew = !this.#modules.has(manifest.name);
    return this.#change(() => {
      this.#modules.set(
        manifest.name,
        modulePlan(manifest, key.publicKey, this.options.limitsFor(manifest.name)),
      );
      return pipe(
        this.#reload(isNew),
        TE.map(() => key),
      );
    });
  }

  /**
   * Has the server know exactly these principals. It closes the connections of those that are gone or have another key,
   * and judges the open connections of the others by their rights of now.
   */
  setPrincipals(principals: readonly PlannedPrincipal[]): TaskEither<Fault, void> {
    return this.#change(() => {
      const keys = new Map(principals.map((each) => [each.account, each.publicKey]));
      const rights = new Map(this.#principals.map((each) => [each.account, each.rights]));
      const cut = this.#principals.filter((each) => keys.get(each.account) !== each.publicKey);
      this.#principals = principals;
      if (cut.length > 0) this.#shutOver ??= this.#onShutOut();
      return pipe(
        // A reload with many accounts takes longer. If the server closes none here, the reload does.
        TE.fromTask(() => Promise.allSettled(cut.map(({ account }) => this.options.keepOut(account)))),
        TE.chain(() => this.#reload(principals.some((each) => rights.get(each.account) !== each.rights))),
        // Where the server did not take it, they are kept out until a later reload.
        TE.map(() => this.#tookAway(cut)),
        (told) => () => told().finally(() => this.#isSettled()),
      );
    });
  }

  /** `listener` is called before accounts are kept out. What it returns is called when the server knows of it. */
  whenShutOut(listener: () => () => void): void {
    this.#onShutOut = listener;
  }

  /** Closes the connections of an account now, whatever change the server is about to take. A change must follow. */
  shutOut(account: string): void {
    this.#early.add(account);
    this.#shutOver ??= this.#onShutOut();
    void this.options.keepOut(account).catch(() => undefined);
  }

  /** The change does not follow. */
  letIn(account: string): void {
    this.#early.delete(account);
    this.options.letIn(this.#early);
    this.#isSettled();
  }

  #tookAway(cut: readonly PlannedPrincipal[]): void {
    for (const { account } of cut) this.#early.delete(account);
    this.options.letIn(this.#early);
  }

  #isSettled(): void {
    if (this.#early.size > 0) return;
    this.#shutOver?.();
    this.#shutOver = undefined;
  }

  /**
   * nats-server 2.15.1 subscribes the service imports that a reload adds only at the next reload
   * (configureAccounts in server.go: neither in siMap nor "not reloading"). Until then it reaches no service.
   */
  #reload(isNew: boolean): TaskEither<Fault, void> {
    const { reload } = this.options;
    return pipe(
      reload(),
      TE.chain(() => (isNew ? reload() : TE.right(undefined))),
    );
  }

  /** Closes the connections of a module, and makes its credential useless: the next {@link grant} gives another. */
  cut(manifest: Manifest): TaskEither<Fault, void> {
    const { name } = manifest;
    this.#early.add(name);
    void this.options.keepOut(name).catch(() => undefined);
    const cut = this.#change(() => {
      this.#unused.delete(name);
      if (this.#modules.has(name))
        this.#modules.set(name, modulePlan(manifest, this.#newUserKey(name).publicKey));
      return this.options.reload();
    });
    return () => cut().finally(() => this.letIn(name));
  }

  /** Takes a module's account away. */
  revoke(module: string): TaskEither<Fault, void> {
    return this.#change(() => {
      this.#modules.delete(module);
      this.#unused.delete(module);
      return this.options.reload();
    });
  }

  /** The public keys that no principal may have. */
  get ownKeys(): ReadonlySet<string> {
    const { core, system, operator } = this.options.keys;
    const modules = [...this.#modules.values()].flatMap(({ publicKey }) => publicKey ?? []);
    return new Set([core.publicKey, system.publicKey, operator.publicKey, ...modules]);
  }

  get operatorKey(): string {
    return this.options.keys.operator.publicKey;
  }

  #newUserKey(module: string): UserKey {
    return (this.options.moduleKey ?? newUserKey)(module);
  }

  #change<A>(change: () => TaskEither<Fault, A>): TaskEither<Fault, A> {
    return () =>
      this.#changes.run(() => {
        const reload = change();
        this.#write();
        return reload();
      });
  }

  #write(): void {
    const { keys, configPath, render, guests, limitsFor } = this.options;
    const modules = [...this.#modules.keys()];
    const operator = operatorPlan(keys.operator.publicKey, modules, limitsFor('operator'));
    const accounts = [
      ...guests,
      operator,
      ...this.#modules.values(),
      ...this.#principals.map((principal) => principalPlan(principal, modules)),
    ];
    writeFileSync(configPath, render(accounts), { mode: 0o600 });
  }
}
