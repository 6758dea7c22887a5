import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import { commandConsumer, foldConsumer, LOG } from '../../schemas/log.js';
import type { ModuleStatus } from '../../schemas/operate.js';
import { processUse } from '../../system/processes/process-use.js';
import type { ModuleConfigs } from '../config/module-configs.js';
import type { Hearings } from '../hearing/hearings.js';
import type { LogIndex } from '../index/log-index.js';
import type { SupervisedModule } from '../supervisor/supervised-module.js';
import type { SupervisedModules } from '../supervisor/supervised-modules.js';

export interface ModuleStatusSources {
  readonly jsm: JetStreamManager;
  readonly modules: Pick<SupervisedModules, 'all'>;
  readonly index: Pick<LogIndex, 'waits' | 'position' | 'commands'>;
  readonly hearings: Pick<Hearings, 'eventsWaiting'>;
  readonly configs: Pick<ModuleConfigs, 'forProcess'>;
  /** The end of the log, as far as the broker has read it. */
  readonly logEnd: () => number;
}

/** An index that is further behind the log does not know who has open commands. */
const MOST_BEHIND = 1_000;

/**
 * What is wrong with a module. One that runs says also why its next process would not start: a key that it needs can be
 * taken away while it runs, and a restart is a bad moment to learn of that.
 */
const reasonOf = (
  { reason, isActive, manifest }: SupervisedModule,
  configs: ModuleStatusSources['configs'],
): string | null => {
  if (!isActive || manifest.config === undefined) return reason;
  const config = configs.forProcess(manifest);
  if (E.isRight(config)) return reason;
  const { code, message } = config.left;
  return `its next process will not start: ${code}: ${message}`;
};

/** What the broker knows of its modules. The server is asked for what waits in the log. */
export class ModuleStatuses {
  /** By read model, its process and the end of the log when it had no event to come. */
  readonly #folded = new Map<string, string>();

  constructor(private readonly sources: ModuleStatusSources) {}

  of(module: SupervisedModule): Promise<ModuleStatus> {
    return this.#status(module, true);
  }

  all(): Promise<readonly ModuleStatus[]> {
    return Promise.all([...this.sources.modules.all()].map((module) => this.#status(module, true)));
  }

  /**
   * The same for a scrape of metrics, which comes again each second: the server is asked only of modules that can have
   * something to do.
   */
  scraped(): Promise<readonly ModuleStatus[]> {
    const { index, logEnd, modules } = this.sources;
    const isBehind = logEnd() - index.position > MOST_BEHIND;
    const busy = isBehind ? undefined : new Set(index.commands.modules('', Number.MAX_SAFE_INTEGER));
    return Promise.all(
      [...modules.all()].map((module) => this.#status(module, busy === undefined || busy.has(module.name))),
    );
  }

  async #status(module: SupervisedModule, mayLag: boolean): Promise<ModuleStatus> {
    const { name, manifest, state, pid, restarts } = module;
    const reason = reasonOf(module, this.sources.configs);
    const [lag, used, eventsWaiting] = await Promise.all([
      mayLag ? this.#lag(name) : 0,
      pid === null ? undefined : processUse(pid),
      this.#unheard(module),
    ]);
    const events = eventsWaiting === undefined ? {} : { eventsWaiting };
    const cpuPercent = used === undefined ? null : Math.round(used.cpuPercent * 10) / 10;
    const use = { cpuPercent, rssBytes: used?.rssBytes ?? null };
    const waits = { lag, ...events, ...this.#asleep(name) };
    return { name, version: manifest.version, state, pid, restarts, ...waits, ...use, reason };
  }

  async #lag(module: string): Promise<number> {
    try {
      const { num_pending, num_ack_pending } = await this.sources.jsm.consumers.info(
        LOG,
        commandConsumer(module),
      );
      return num_pending + num_ack_pending;
    } catch {
      // A module that was never started has no consumer yet.
      return 0;
    }
  }

  async #unheard({ name, manifest, pid }: SupervisedModule): Promise<number | undefined> {
    if (manifest.folds !== undefined) return this.#unfolded(name, pid);
    if (manifest.on === undefined) return undefined;
    // The server may be away just now.
    return this.sources.hearings.eventsWaiting(name).catch(() => undefined);
  }

  /** How many events a read model has not been given yet; undefined: it does not run. */
  async #unfolded(module: string, pid: number | null): Promise<number | undefined> {
    const now = `${pid} ${this.sources.logEnd()}`;
    // It had all of a log that has not grown.
    if (pid !== null && this.#folded.get(module) === now) return 0;
    try {
      const { num_pending } = await this.sources.jsm.consumers.info(LOG, foldConsumer(module));
      if (num_pending === 0) this.#folded.set(module, now);
      else this.#folded.delete(module);
      return num_pending;
    } catch {
      this.#folded.delete(module);
      return undefined;
    }
  }

  #asleep(name: string): Pick<ModuleStatus, 'asleep' | 'nextWake'> {
    const { waits } = this.sources.index;
    const count = waits.countOf(name);
    if (count === 0) return {};
    const next = waits.nextOf(name);
    return { asleep: count, ...(next === undefined ? {} : { nextWake: new Date(next).toISOString() }) };
  }
}
