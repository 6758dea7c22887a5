import type { NatsConnection } from 'nats';
import { GROUPING } from '../../../broker/journal/grouping.js';
import { linkedRequest } from '../../../broker/journal/linked-request.js';
import { commandSubject } from '../../../schemas/subjects.js';
import { openBatches } from '../../support/open-batches.js';
import type { Operation } from './operations.js';
import { expectNone, type World } from './world.js';
import { Writer } from './writer.js';

/** A run takes a second or two; one that does not end is a finding too, and must leave its seed. */
const RUN_LIMIT_MS = 60_000;

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

/** One run: the operations one after the other, then peace, then the log laid beside what everybody was told. */
export class Run {
  readonly #id: number;
  readonly #connections: NatsConnection[] = [];
  readonly #writers: Writer[] = [];
  readonly #current = new Map<number, { readonly writer: Writer; readonly life: number }>();
  readonly #old: Writer[] = [];
  /** Commands that the log has acknowledged. */
  readonly #recorded: number[] = [];
  readonly #commands: Promise<void>[] = [];
  #doing = 'nothing';
  #endBatches: () => void = () => undefined;
  /** The foreign module leaves copies out: they are there when it has been killed. */
  #decides = false;

  constructor(private readonly world: World) {
    this.#id = world.nextRun();
  }

  /** Throws what does not hold, or what it was doing when its time was over. */
  async perform(operations: readonly Operation[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`I8 not done after ${RUN_LIMIT_MS} ms: ${this.#doing}`)),
        RUN_LIMIT_MS,
      );
    });
    const done = this.#perform(operations);
    // Whichever comes second has nobody to hear it.
    done.catch(() => undefined);
    try {
      await Promise.race([done, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #perform(operations: readonly Operation[]): Promise<void> {
    try {
      for (const operation of operations) {
        this.#doing = JSON.stringify(operation);
        await this.#do(operation);
      }
      this.#doing = 'ending batches';
      this.#endBatches();
      this.#doing = 'making room';
      await this.world.setRoom();
      this.#doing = 'waiting for answers to commands';
      await Promise.all(this.#commands);
      for (const writer of this.#writers) {
        this.#doing = `settling ${writer}`;
        await writer.settled();
      }
      this.#doing = 'killing the foreign module';
      if (this.#decides) await this.world.killForeign();
      this.#doing = 'waiting for quiet';
      const log = await this.world.quiet();
      const inLog = new Set(log.map(({ seq }) => seq));
      expectNone([
        ...this.#writers.flatMap((writer) => writer.findings(log)),
        ...this.#recorded
          .filter((seq) => !inLog.has(seq))
          .map((seq) => `I1 command ${seq} is not in the log`),
        ...this.world.bank.findings,
      ]);
    } finally {
      for (const writer of this.#writers) {
        this.#doing += `, then closing ${writer}`;
        await writer.close();
      }
      for (const nc of this.#connections) {
        this.#doing += ', then closing its connection';
        await nc.close();
      }
    }
  }

  async #do(operation: Operation): Promise<void> {
    const { world } = this;
    switch (operation.do) {
      case 'append':
        (await this.#writer(operation.producer)).append(operation.count, operation.bytes);
        // One that was replaced goes on as if nothing had happened.
        for (const old of this.#old) old.append(3, 10);
        return;
      case 'deposit':
      case 'withdraw':
        for (let k = 0; k < operation.count; k++)
          this.#send(operation.do, operation.agent, { amount: operation.amount });
        return;
      case 'transfer':
        return this.#send('transfer', operation.agent, { to: operation.to, amount: operation.amount });
      case 'decide':
        this.#decides = true;
        return this.#send('store', operation.agent, { text: operation.text }, 'raw');
      case 'kill server':
        return world.server.restart('SIGKILL');
      case 'kill module':
        return this.#signal('SIGKILL');
      case 'change code':
        this.#signal('SIGKILL');
        world.changeCode();
        return this.#signal('SIGKILL');
      case 'stop server':
        process.kill(world.server.pid, 'SIGSTOP');
        await pause(operation.ms);
        process.kill(world.server.pid, 'SIGCONT');
        return;
      case 'stop module':
        this.#signal('SIGSTOP');
        await pause(operation.ms);
        return this.#signal('SIGCONT');
      case 'cut':
        return world.links[operation.link].cut();
      case 'replace':
        return this.#replace(operation.producer);
      case 'fill':
        return world.setRoom(operation.bytes);
      case 'make room':
        return world.setRoom();
      case 'hold batches':
        this.#endBatches();
        this.#endBatches = openBatches(world.control);
        return;
      case 'end batches':
        return this.#endBatches();
      case 'wait':
        return pause(operation.ms);
      case 'settle':
        for (const writer of this.#writers) await writer.settled();
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.world.module;
    if (pid !== null) process.kill(pid, signal);
  }

  /** As `nats req cmd…` does: asked once; without an answer the command may be recorded or not. */
  #send(action: string, agent: string, data: object, module = 'accounts'): void {
    const subject = commandSubject({ module, name: action, agent });
    const asked = linkedRequest(this.world.guest, subject, JSON.stringify(data), { timeout: 2_000 });
    this.#commands.push(
      asked.then(
        (reply) => {
          const { seq } = reply.json<{ seq?: number }>();
          if (seq !== undefined && seq > 0) this.#recorded.push(seq);
        },
        () => undefined,
      ),
    );
  }

  async #writer(producer: number): Promise<Writer> {
    const current = this.#current.get(producer);
    return current?.writer ?? this.#open(producer, 1);
  }

  async #replace(producer: number): Promise<void> {
    const current = this.#current.get(producer);
    if (current === undefined) return;
    await this.#open(producer, current.life + 1);
    current.writer.replaced();
    this.#old.push(current.writer);
  }

  async #open(producer: number, life: number): Promise<Writer> {
    const { world } = this;
    const nc = await world.dial();
    this.#connections.push(nc);
    const name = `p${this.#id}-${producer}`;
    const options = { nc, name, under: world.under, grouping: GROUPING[world.durability] };
    // A server that is away for a moment, or a log that is full, opens no epoch: that is told, and tried again.
    await world.setRoom();
    const writer = await Writer.open(options, life);
    this.#writers.push(writer);
    this.#current.set(producer, { writer, life });
    return writer;
  }
}
