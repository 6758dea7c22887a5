import { linkedRequest } from '../../../link/linked-request.js';
import { commandSubject } from '../../../schemas/subjects.js';
import { openBatches } from '../../support/open-batches.js';
import { Follows } from './follows.js';
import { ACCOUNTS } from './module-dirs.js';
import { ModuleLives } from './module-lives.js';
import type { Operation } from './operations.js';
import { Reloads } from './reloads.js';
import { expectNone, type World } from './world.js';
import { Writers } from './writers.js';

/** A run takes a second or two, and a minute on a busy machine. A run that does not end is a finding, and must leave its seed. */
const RUN_LIMIT_MS = 180_000;

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

/** One run: the operations one after the other, then peace, then the log laid beside what everybody was told. */
export class Run {
  readonly #writers: Writers;
  readonly #lives: ModuleLives;
  readonly #follows: Follows;
  readonly #reloads: Reloads;
  /** Commands that the log has acknowledged. */
  readonly #recorded: number[] = [];
  readonly #commands: Promise<unknown>[] = [];
  #doing = 'nothing';
  #endBatches: () => void = () => undefined;
  /** The foreign module leaves copies out: they are there when it has been killed. */
  #decides = false;

  constructor(private readonly world: World) {
    const run = world.nextRun();
    this.#writers = new Writers(world, run);
    this.#follows = new Follows(world, run, (...command) => this.#send(...command));
    this.#reloads = new Reloads(world);
    this.#lives = new ModuleLives(world, (...command) => this.#send(...command));
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
      this.#doing = 'settling writers';
      await this.#writers.settled();
      this.#doing = 'having modules answer what waits';
      await this.#lives.end();
      this.#doing = 'killing the foreign module';
      if (this.#decides) await this.world.killForeign();
      this.#doing = 'waiting for quiet';
      const log = await this.world.quiet();
      const inLog = new Set(log.map(({ seq }) => seq));
      expectNone([
        ...this.#writers.all.flatMap((writer) => writer.findings(log)),
        ...this.#recorded
          .filter((seq) => !inLog.has(seq))
          .map((seq) => `I1 command ${seq} is not in the log`),
        ...this.world.bank.findings,
        ...this.#lives.findings(log),
        ...this.#reloads.findings,
        ...this.#follows.findings(log),
      ]);
    } finally {
      this.#doing += ', then closing writers';
      await this.#writers.close();
    }
  }

  async #do(operation: Operation): Promise<void> {
    const { world } = this;
    switch (operation.do) {
      case 'append':
        return this.#writers.append(operation.producer, operation.count, operation.bytes);
      case 'deposit':
      case 'withdraw':
        for (let k = 0; k < operation.count; k++)
          void this.#send(operation.do, operation.agent, { amount: operation.amount });
        return;
      case 'transfer':
        void this.#send('transfer', operation.agent, { to: operation.to, amount: operation.amount });
        return;
      case 'decide':
        this.#decides = true;
        void this.#send('store', operation.agent, { text: operation.text }, 'raw');
        return;
      case 'tell':
        return this.#lives.tell(operation.count);
      case 'load':
      case 'unload':
      case 'remove':
        return this.#lives.change(operation.do);
      case 'restart broker':
        return this.#restart(operation.inPeace);
      case 'follow':
        return this.#follows.follow(operation.calls, operation.recorded);
      case 'reload':
        return this.#reloads.reload(operation.code, operation.at);
      case 'kill server':
        return world.server.restart('SIGKILL');
      case 'kill module':
        return this.#signal('SIGKILL');
      case 'change code':
        this.#signal('SIGKILL');
        world.dirs.changeCode();
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
        return this.#writers.replace(operation.producer);
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
        return this.#writers.settled();
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.world.broker.module(ACCOUNTS);
    if (pid !== null) process.kill(pid, signal);
  }

  async #restart(isInPeace: boolean): Promise<void> {
    // A full log has no room for the epoch of another broker.
    await this.world.setRoom();
    await this.world.restartBroker(isInPeace);
    await this.#writers.replaceAll();
    this.#lives.restarted();
  }

  /** As `nats req cmd…` does: asked once; without an answer the command may be recorded or not. */
  #send(action: string, agent: string, data: object, module = ACCOUNTS): Promise<number | undefined> {
    const subject = commandSubject({ module, name: action, agent });
    const asked = linkedRequest(this.world.guest, subject, JSON.stringify(data), { timeout: 2_000 });
    const recorded = asked.then(
      (reply) => {
        const { seq = 0 } = reply.json<{ seq?: number }>();
        if (seq === 0) return undefined;
        this.#recorded.push(seq);
        return seq;
      },
      () => undefined,
    );
    this.#commands.push(recorded);
    return recorded;
  }
}
