/** The server's event that a connection has opened. Source: `ConnectEventMsg` in events.go of nats-server 2.15.1. */
export interface ConnectionOpened {
  readonly client?: { readonly id?: number; readonly acc?: string };
}

/**
 * The connections of accounts, as the server's events tell them: to list them takes the server longer than to close
 * them. An account can be kept out: each connection that it opens is closed at once.
 */
export class OpenConnections {
  readonly #accounts = new Map<string, Set<number>>();
  readonly #keptOut = new Set<string>();

  /** `end` has the server close a connection. */
  constructor(private readonly end: (id: number) => Promise<void>) {}

  opened({ client }: ConnectionOpened): void {
    if (client?.id === undefined || client.acc === undefined) return;
    // It may have closed since. Then there is nothing to end.
    if (this.#keptOut.has(client.acc)) void this.end(client.id).catch(() => undefined);
    const known = this.#accounts.get(client.acc);
    if (known === undefined) this.#accounts.set(client.acc, new Set([client.id]));
    else known.add(client.id);
  }

  closed({ client }: ConnectionOpened): void {
    if (client?.id === undefined || client.acc === undefined) return;
    const known = this.#accounts.get(client.acc);
    known?.delete(client.id);
    if (known?.size === 0) this.#accounts.delete(client.acc);
  }

  /** Accounts with connections. */
  get names(): readonly string[] {
    return [...this.#accounts.keys()];
  }

  /** Another process of the server gives the numbers again. */
  forget(): void {
    this.#accounts.clear();
  }

  /** Closes the connections of an account, and all that it opens until {@link letIn}. */
  async keepOut(account: string): Promise<void> {
    this.#keptOut.add(account);
    await Promise.allSettled([...(this.#accounts.get(account) ?? [])].map((id) => this.end(id)));
  }

  /** The server knows by itself whom to let in, but for these. */
  letIn(stillOut: ReadonlySet<string>): void {
    for (const account of this.#keptOut) if (!stillOut.has(account)) this.#keptOut.delete(account);
  }
}
