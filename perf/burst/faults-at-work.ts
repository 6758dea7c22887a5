import { FaultError, fault } from '../../schemas/errors.js';
import type { PlannedFault, Victim } from './fault-plan.js';
import type { Fleet } from './fleet.js';
import type { Installation } from './installation.js';
import type { Processes } from './processes.js';
import type { BurstView } from './burst-progress.js';
import { Outage } from './outage.js';
import { now, type ProducerNews } from './setting.js';
import type { DoneFault } from '../../schemas/burst.js';
import { pause } from '../../system/async/pause.js';

export interface FaultsOptions {
  readonly faults: readonly PlannedFault[];
  readonly processes: Processes;
  readonly installation: Installation;
  readonly view: BurstView;
}

interface Running {
  readonly at: number;
  readonly what: Victim;
  readonly killedAt: number;
  /** {@link ProducerNews.reopened} of each producer when it was killed. */
  readonly reopened: readonly number[];
  /** Of a kill that stops delivery: of the module, or of the broker with it. */
  readonly outage?: Outage;
  downMs: number | null;
}

/** What was killed a moment ago may take so long to be there again. */
const WAIT_MS = 30_000;

/** Kills the processes at their times, and notices when the killed ones work again. */
export class FaultsAtWork {
  readonly #running: Running[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #under: Promise<void>[] = [];
  #begun = 0;
  /** By producer: how often it started over. */
  readonly #reopened: number[] = [];
  #failure: unknown;
  readonly #killed = new Set<number>();
  #closed = false;

  constructor(private readonly options: FaultsOptions) {}

  get done(): readonly DoneFault[] {
    return this.#running.map(({ at, what, outage, downMs }) => ({
      at,
      what,
      downMs: outage?.downMs ?? downMs,
    }));
  }

  /** All kills are done, and the killed processes work again. */
  get isDone(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#begun === this.options.faults.length;
  }

  start(burstAt: number, fleet: Fleet): void {
    const { faults } = this.options;
    for (const [i, planned] of faults.entries()) {
      const timer = setTimeout(
        () => {
          this.#under.push(
            this.#kill(planned, i, fleet).catch((error: unknown) => {
              this.#failure = error;
            }),
          );
        },
        burstAt + planned.atSeconds * 1_000 - now(),
      );
      this.#timers.push(timer);
    }
  }

  /** How far delivery is: see {@link Outage}. */
  delivered(progress: number): void {
    const pid = this.options.processes.pids?.module ?? null;
    for (const { outage } of this.#running) outage?.look(now(), progress, pid);
  }

  /** A producer that had lost the server has records acknowledged again. */
  news(producer: number, { reopened, ackedSince }: ProducerNews): void {
    this.#reopened[producer] = reopened;
    if (ackedSince === 0) return;
    const at = now();
    for (const each of this.#running) {
      const isBack = each.what === 'server' && reopened > (each.reopened[producer] ?? 0);
      if (each.downMs === null && isBack) each.downMs = Math.round(at - each.killedAt);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#under);
  }

  async #kill({ what, atSeconds: at }: PlannedFault, index: number, fleet: Fleet): Promise<void> {
    const { installation, view } = this.options;
    const victim = what === 'module' || what === 'server' ? await this.#victim(what) : undefined;
    const killedAt = now();
    const stops = what === 'module' || what === 'broker';
    const module = this.options.processes.pids?.module ?? null;
    const running: Running = {
      ...{ at, what, killedAt, reopened: [...this.#reopened], downMs: null },
      ...(stops ? { outage: new Outage(killedAt, module) } : {}),
    };
    if (victim !== undefined) process.kill(victim, 'SIGKILL');
    view.fault(`${what} killed at ${at} s`);
    this.#running.push(running);
    this.#begun += 1;
    if (what === 'broker') return installation.restart?.();
    if (what !== 'producer') return;
    // The next life has its epoch, and could send.
    await fleet.replace(index % fleet.size);
    running.downMs = Math.round(now() - running.killedAt);
  }

  /** The process to kill; where the one before is still on its way back, once it is there. */
  async #victim(what: 'module' | 'server'): Promise<number> {
    const until = now() + WAIT_MS;
    for (;;) {
      const pid = this.options.processes.pids?.[what];
      if (typeof pid === 'number' && !this.#killed.has(pid) && isAlive(pid)) {
        this.#killed.add(pid);
        return pid;
      }
      if (this.#closed || now() > until) {
        const text = `the broker named no process of its ${what} within ${WAIT_MS / 1_000} s: it was not killed`;
        throw new FaultError(fault('MODULE_UNAVAILABLE', text));
      }
      await pause(20);
    }
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
