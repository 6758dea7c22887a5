import pidusage from 'pidusage';
import type { NatsConnection } from 'nats';
import { linkedRequest } from '../../link/linked-request.js';
import { type BrokerStatus, OPS } from '../../schemas/operate.js';

export const ROLES = ['producers', 'server', 'broker', 'module'] as const;
export type ProcessRole = (typeof ROLES)[number];

export interface Pids {
  readonly server: number | null;
  readonly broker: number;
  readonly module: number | null;
}

/** Under load an answer takes its time. */
const ASK_MS = 10_000;
const EVERY_MS = 250;

interface Seen {
  readonly role: ProcessRole;
  /** When it was first looked at, and last; milliseconds of processor time. */
  readonly from: number;
  to: number;
}

/** The processes that a load goes through, as they come and go, and what each takes of the processor. */
export class Processes {
  readonly #seen = new Map<number, Seen>();
  #pids: Pids | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly operator: NatsConnection,
    private readonly module: string,
    private readonly producers: () => readonly number[],
  ) {}

  /** As the broker said last: asked for ahead of time, since under load an answer takes its time. */
  get pids(): Pids | undefined {
    return this.#pids;
  }

  /** Begins to look; what was used before does not count. */
  async start(): Promise<void> {
    await this.#look();
    let isLooking = false;
    this.#timer = setInterval(() => {
      if (isLooking) return;
      isLooking = true;
      this.#looking = this.#look().finally(() => {
        isLooking = false;
      });
    }, EVERY_MS);
  }

  /**
   * Processor seconds by role since the start; what a process used in the last moment before its death is not known.
   */
  async stop(): Promise<Readonly<Record<ProcessRole, number>>> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#look();
    return this.used;
  }

  get used(): Readonly<Record<ProcessRole, number>> {
    const used = { producers: 0, server: 0, broker: 0, module: 0 };
    for (const { role, from, to } of this.#seen.values()) used[role] += (to - from) / 1_000;
    return used;
  }

  async #look(): Promise<void> {
    await this.#ask();
    const { server, broker, module } = this.#pids ?? { server: null, broker: null, module: null };
    const all: readonly (readonly [ProcessRole, number | null])[] = [
      ...this.producers().map((pid) => ['producers', pid] as const),
      ['server', server],
      ['broker', broker],
      ['module', module],
    ];
    const isFirst = this.#seen.size === 0;
    for (const [role, pid] of all) {
      if (pid === null) continue;
      try {
        const { ctime } = await pidusage(pid);
        const seen = this.#seen.get(pid);
        // One that came later has used all of it for this load.
        if (seen === undefined) this.#seen.set(pid, { role, from: isFirst ? ctime : 0, to: ctime });
        else seen.to = ctime;
      } catch {
        // It has ended since.
      }
    }
  }

  async #ask(): Promise<void> {
    try {
      const reply = await linkedRequest(this.operator, OPS.status, '{}', { timeout: ASK_MS });
      const { server, pid, modules } = reply.json<BrokerStatus>();
      const found = modules.find(({ name }) => name === this.module);
      this.#pids = { server: server.pid, broker: pid, module: found?.pid ?? null };
    } catch {
      // It may be down just now; what it said last may still be true.
    }
  }
}
