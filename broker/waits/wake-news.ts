import { WAKES_WAIT_MS, type WakesReply } from '../../schemas/control.js';
import type { LogIndex } from '../index/log-index.js';

/** What a module may not know of. */
interface ModuleNews {
  /** Sequences of wakes by their commands, in the order of the log. */
  readonly told: Map<number, number>;
  /** Requests that wait for news. */
  readonly asking: Set<() => void>;
}

/**
 * Tells the processes of modules which handlers were woken. A module asks, and gets what came behind what it knows, or
 * the next that comes. A command that is answered is no news any more, so this holds no more than what is open.
 */
export class WakeNews {
  readonly #modules = new Map<string, ModuleNews>();

  constructor(index: Pick<LogIndex, 'on'>) {
    index.on('woken', ({ seq, module }, wakeSeq) => {
      const { told, asking } = this.#of(module);
      told.delete(seq);
      told.set(seq, wakeSeq);
      for (const resume of asking) resume();
    });
    index.on('result', ({ seq, module }) => void this.#modules.get(module)?.told.delete(seq));
  }

  /** The wakes of a module behind a sequence; none after a while without any. */
  async after(module: string, after: number): Promise<WakesReply> {
    const { told, asking } = this.#of(module);
    for (const [command, seq] of told) if (seq <= after) told.delete(command);
    if (told.size === 0) await news(asking, WAKES_WAIT_MS);
    return { upTo: Math.max(after, ...[...told.values()].slice(-1)), commands: [...told.keys()] };
  }

  #of(module: string): ModuleNews {
    let news = this.#modules.get(module);
    if (news === undefined) {
      news = { told: new Map(), asking: new Set() };
      this.#modules.set(module, news);
    }
    return news;
  }
}

/** Resolves at the next news, or after a while without any. */
const news = (asking: Set<() => void>, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const resume = (): void => {
      clearTimeout(timer);
      asking.delete(resume);
      resolve();
    };
    const timer = setTimeout(resume, ms).unref();
    asking.add(resume);
  });
