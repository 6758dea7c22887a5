import { writeFileSync } from 'node:fs';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import { type AccountPlan, guestPlan, modulePlan, operatorPlan } from './accounts.js';
import { type Key, newKey } from './keys.js';

/** What the broker's own connections and the operator authenticate with. */
export interface BrokerKeys {
  readonly core: Key;
  readonly system: Key;
  readonly operator: Key;
}

export interface AccessOptions {
  readonly keys: BrokerKeys;
  readonly configPath: string;
  /** The whole configuration file for these accounts. */
  readonly render: (accounts: readonly AccountPlan[]) => string;
  /** Has the running server read its configuration again; does nothing while it is down, since it reads it at its start. */
  readonly reload: () => TaskEither<Fault, void>;
  /** Makes a module's key: a new one for each of its processes where the broker runs the server. */
  readonly moduleKey?: (module: string) => Key;
}

/**
 * Who may connect, as the server's configuration says it. One file holds all accounts, so changes are made one after
 * the other.
 */
export class Access {
  readonly #modules = new Map<string, AccountPlan>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: AccessOptions) {}

  /** Writes the file without asking the server: before its first start. */
  write(): void {
    const { keys, configPath, render } = this.options;
    const accounts = [guestPlan(), operatorPlan(keys.operator.publicKey), ...this.#modules.values()];
    writeFileSync(configPath, render(accounts), { mode: 0o600 });
  }

  /** Gives a module its account under a new key and shuts out whoever held the one before. */
  grant(manifest: Manifest): TaskEither<Fault, Key> {
    const key = (this.options.moduleKey ?? newKey)(manifest.name);
    return this.#change(() => this.#modules.set(manifest.name, modulePlan(manifest, key.publicKey)), key);
  }

  /** Takes a module's account away. */
  revoke(module: string): TaskEither<Fault, void> {
    return this.#change(() => this.#modules.delete(module), undefined);
  }

  #change<A>(change: () => void, result: A): TaskEither<Fault, A> {
    return () => {
      const done = this.#last.then(() => {
        change();
        this.write();
        return TE.map(() => result)(this.options.reload())();
      });
      this.#last = done.catch(() => undefined);
      return done;
    };
  }
}
