import { writeFileSync } from 'node:fs';
import { pipe } from 'fp-ts/lib/function.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import { type AccountPlan, guestPlan, modulePlan, operatorPlan } from './accounts.js';
import { newUserKey, type UserKey } from '../../link/nkey.js';
import type { AccountLimits } from './limits.js';
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
  readonly guestLimits: AccountLimits;
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
  readonly #changes = new SerialQueue();

  constructor(private readonly options: AccessOptions) {}

  /** Writes the first configuration, with an account for each module that is known now: those need no reload. */
  prepare(manifests: readonly Manifest[]): void {
    for (const manifest of manifests) {
      const key = this.#newUserKey(manifest.name);
      this.#unused.set(manifest.name, { manifest, key });
      this.#modules.set(manifest.name, modulePlan(manifest, key.publicKey));
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
      this.#modules.set(manifest.name, modulePlan(manifest, key.publicKey));
      const { reload } = this.options;
      // nats-server 2.15.1 subscribes the service imports of an account that a reload adds only at the next reload
      // (configureAccounts in server.go: neither in siMap nor "not reloading"). Until then it reaches no service.
      return pipe(
        reload(),
        TE.chain(() => (isNew ? reload() : TE.right(undefined))),
        TE.map(() => key),
      );
    });
  }

  /** Takes a module's account away. */
  revoke(module: string): TaskEither<Fault, void> {
    return this.#change(() => {
      this.#modules.delete(module);
      this.#unused.delete(module);
      return this.options.reload();
    });
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
    const { keys, configPath, render, guestLimits } = this.options;
    const operator = operatorPlan(keys.operator.publicKey, [...this.#modules.keys()]);
    const accounts = [guestPlan(guestLimits), operator, ...this.#modules.values()];
    writeFileSync(configPath, render(accounts), { mode: 0o600 });
  }
}
