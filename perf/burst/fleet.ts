import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reaper } from '../../system/processes/reaper.js';
import { ProducerProcess } from './producer-process.js';
import { type Rates, BurstSchedule } from './burst-schedule.js';
import { type LoadKind, now, type ProducerNews } from './setting.js';

export interface FleetOptions {
  readonly kind: LoadKind;
  readonly url: string;
  readonly seed: string | undefined;
  readonly sender: string;
  readonly producers: number;
  readonly rates: Rates;
  readonly agents: number;
  readonly size: number;
  /** For ledgers. */
  readonly dir: string;
  readonly reaper: Reaper;
  readonly onNews: (news: ProducerNews, index: number) => void;
}

/** All producers, each in a separate process, life after life. */
export class Fleet {
  readonly #lives: ProducerProcess[] = [];
  readonly #ledgers: string[] = [];
  readonly #ends: Promise<void>[] = [];
  #beginAt = 0;

  constructor(private readonly options: FleetOptions) {}

  get size(): number {
    return this.options.producers;
  }

  get pids(): readonly number[] {
    return this.#lives.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Starts all; resolves when each has its epoch. */
  async start(): Promise<void> {
    const { producers } = this.options;
    for (let i = 0; i < producers; i++) this.#lives[i] = this.#life(i);
    await Promise.all(this.#lives.map(({ ready }) => ready));
  }

  begin(beginAt: number): void {
    this.#beginAt = beginAt;
    for (const [i, life] of this.#lives.entries()) this.#send(i, life, 0);
  }

  /**
   * Kills a producer, and has another process take over under its name: what came due meanwhile is not sent. Resolves
   * when that one has its epoch.
   */
  async replace(index: number): Promise<void> {
    await this.#lives[index]?.kill();
    const life = this.#life(index);
    this.#lives[index] = life;
    const end = life.ready.then(() => {
      const { rates, producers } = this.options;
      const from = new BurstSchedule(rates, 1 / producers).due(now() - this.#beginAt);
      this.#send(index, life, from);
      return life.done;
    });
    end.catch(() => undefined);
    this.#ends.push(end);
    await life.ready;
  }

  /** Resolves when all that came due is settled. */
  async done(): Promise<void> {
    for (let i = 0; i < this.#ends.length; i++) await this.#ends[i];
  }

  async kill(): Promise<void> {
    await Promise.all(this.#lives.map((life) => life.kill()));
  }

  /**
   * Writes the ledgers of all lives into one; how many lines it has. A line that a death has cut counts for nothing.
   */
  ledger(path: string): number {
    let lines = 0;
    writeFileSync(path, '');
    for (const part of this.#ledgers) {
      if (!existsSync(part)) continue;
      const text = readFileSync(part);
      const whole = text.subarray(0, text.lastIndexOf(0x0a) + 1);
      writeFileSync(path, whole, { flag: 'a' });
      for (const byte of whole) if (byte === 0x0a) lines += 1;
    }
    return lines;
  }

  #life(index: number): ProducerProcess {
    const { kind, url, seed, sender, producers, rates, agents, size, dir, reaper, onNews } = this.options;
    const ledger = join(dir, `acknowledged-${index}-${this.#ledgers.length}.ndjson`);
    this.#ledgers.push(ledger);
    const setting = {
      ...{ kind, url, sender, index, producers, rates, agents, size, ledger },
      ...(seed === undefined ? {} : { seed }),
    };
    return new ProducerProcess(setting, reaper, { onNews: (news) => onNews(news, index) });
  }

  #send(index: number, life: ProducerProcess, from: number): void {
    life.begin({ beginAt: this.#beginAt, from });
    if (from === 0) this.#ends[index] = life.done;
  }
}
