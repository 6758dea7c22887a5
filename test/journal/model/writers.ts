import type { NatsConnection } from 'nats';
import { GROUPING } from '../../../journal/append/grouping.js';
import type { World } from './world.js';
import { Writer } from './writer.js';

/** The producers of one run: who has each name now, and who had it before and does not know yet that it is gone. */
export class Writers {
  readonly all: Writer[] = [];
  readonly #connections: NatsConnection[] = [];
  readonly #current = new Map<number, { readonly writer: Writer; readonly life: number }>();
  readonly #old: Writer[] = [];

  constructor(
    private readonly world: World,
    private readonly run: number,
  ) {}

  async append(producer: number, count: number, bytes: number): Promise<void> {
    const writer = this.#current.get(producer)?.writer ?? (await this.#open(producer, 1));
    writer.append(count, bytes);
    // One that was replaced goes on as if nothing had happened.
    for (const old of this.#old) old.append(3, 10);
  }

  async replace(producer: number): Promise<void> {
    const current = this.#current.get(producer);
    if (current === undefined) return;
    await this.#open(producer, current.life + 1);
    current.writer.replaced();
    this.#old.push(current.writer);
  }

  /** Another broker has the log: its producers take over from those of the one before. */
  async replaceAll(): Promise<void> {
    for (const producer of [...this.#current.keys()]) await this.replace(producer);
  }

  async settled(): Promise<void> {
    for (const writer of this.all) await writer.settled();
  }

  async close(): Promise<void> {
    for (const writer of this.all) await writer.close();
    for (const nc of this.#connections) await nc.close();
  }

  async #open(producer: number, life: number): Promise<Writer> {
    const { world } = this;
    const nc = await world.dial();
    this.#connections.push(nc);
    const name = `p${this.run}-${producer}`;
    const options = { nc, name, under: world.broker.under, grouping: GROUPING[world.durability] };
    // A server that is away for a moment, or a log that is full, opens no epoch: that is told, and tried again.
    await world.setRoom();
    const writer = await Writer.open(options, life);
    this.all.push(writer);
    this.#current.set(producer, { writer, life });
    return writer;
  }
}
