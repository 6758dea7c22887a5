import { type BrokerStatus, OPS } from '../../schemas/operate.js';
import type { Result } from '../../schemas/result.js';
import { SERVED } from './generate/address.js';
import { growth, ownMemory } from './memory.js';
import { SERVER_MEMORY_MIB, type World } from './world.js';

/** The limit of the promise: an ordinary call is answered within this, whatever was sent before. */
const ANSWER_MS = 1_000;
/** On a machine that others load too, a second try tells a slow moment from a deaf broker. */
const TRY_AGAIN_AFTER_MS = 500;
const PATIENCE_MS = 30_000;

const MiB = 1_024 * 1_024;
/** What a process may hold more at the end than in the third quarter. */
const ALLOWED = 64 * MiB;
/** What the broker must not say: a fault of its own. Lines of modules are theirs. */
const BAD_LINE =
  /^\S+ \[(?!accounts\]|agents\]|orders\]|faulty\]|mallory\]|fuzzed)[^\]]*\].*(uncaught|unhandled|INTERNAL|reader closed|TypeError|RangeError|ReferenceError|heap out of memory)/i;
const CRASH_LINE = /^(FATAL ERROR|node:internal|TypeError|RangeError|Error:)/;

/** What is looked at after each thousand inputs: answers, processes, what the broker says, memory. */
export class Health {
  readonly canaryMs: number[] = [];
  readonly statusMs: number[] = [];
  /** Tries that took too long, where the next one did not. */
  slowTries = 0;
  deposited = 0;
  last: BrokerStatus | undefined;
  readonly #first: BrokerStatus;
  readonly #memory = new Map<string, number[]>();
  #lines = 0;

  private constructor(
    private readonly world: World,
    first: BrokerStatus,
  ) {
    this.#first = first;
  }

  static async begin(world: World): Promise<Health> {
    const first = (
      await world.operator.request(OPS.status, '{}', { timeout: PATIENCE_MS })
    ).json<BrokerStatus>();
    return new Health(world, first);
  }

  /** What is wrong now; nothing when all is well. */
  async check(): Promise<readonly string[]> {
    const found = [await this.#canary(), await this.#status()].filter((each) => each !== undefined);
    return [...found, ...this.#processes(), ...this.#said()];
  }

  /** How each process's memory went, and which went too far. */
  memory(): { readonly lines: readonly string[]; readonly findings: readonly string[] } {
    const lines: string[] = [];
    const findings: string[] = [];
    for (const [name, samples] of this.#memory) {
      const grown = growth(samples);
      if (grown === undefined) continue;
      const { begin, end } = grown;
      // The server keeps what it read of the log's files as long as it stays below its limit.
      const most = name === 'server' ? SERVER_MEMORY_MIB * MiB + ALLOWED : begin + ALLOWED;
      const text = `${name} ${(begin / MiB).toFixed(0)} MiB, at the end ${(end / MiB).toFixed(0)} MiB`;
      lines.push(text);
      if (end > most) findings.push(`memory grows: ${text}; ${(most / MiB).toFixed(0)} MiB are allowed`);
    }
    return { lines, findings };
  }

  async #canary(): Promise<string | undefined> {
    return this.#within('call.accounts.deposit.canary', this.canaryMs, async () => {
      const reply = await this.world.guest.request('call.accounts.deposit.canary', '{"amount":1}', {
        timeout: PATIENCE_MS,
      });
      const result = reply.json<Result>();
      if (result.status !== 'ok') return `answers ${JSON.stringify(result)}`;
      this.deposited += 1;
      return undefined;
    });
  }

  async #status(): Promise<string | undefined> {
    return this.#within(OPS.status, this.statusMs, async () => {
      const reply = await this.world.operator.request(OPS.status, '{}', { timeout: PATIENCE_MS });
      this.last = reply.json<BrokerStatus>();
      return this.last.log === undefined ? `answers ${reply.string().slice(0, 300)}` : undefined;
    });
  }

  async #within(
    what: string,
    times: number[],
    ask: () => Promise<string | undefined>,
  ): Promise<string | undefined> {
    let problem: string | undefined;
    for (let tries = 0; tries < 2; tries++) {
      const from = performance.now();
      problem = await ask().catch((error: Error) => `has no answer: ${error.message}`);
      const ms = performance.now() - from;
      times.push(ms);
      if (problem === undefined && ms <= ANSWER_MS) return undefined;
      problem ??= `took ${ms.toFixed(0)} ms`;
      this.slowTries += 1;
      await new Promise((resume) => setTimeout(resume, TRY_AGAIN_AFTER_MS));
    }
    this.slowTries -= 1;
    return `${what} ${problem}, twice`;
  }

  #processes(): readonly string[] {
    const { last } = this;
    if (last === undefined) return [];
    const served = (status: BrokerStatus) =>
      status.modules.filter(({ name }) => (SERVED as readonly string[]).includes(name));
    const now = [
      { name: 'broker', pid: last.pid as number | null, restarts: 0 },
      { name: 'server', pid: last.server.pid, restarts: 0 },
      ...served(last),
    ];
    const before = new Map<string, number | null>([
      ['broker', this.#first.pid],
      ['server', this.#first.server.pid],
      ...served(this.#first).map(({ name, pid }) => [name, pid] as const),
    ]);
    for (const { name, pid } of now) {
      const bytes = pid === null ? undefined : ownMemory(pid);
      if (bytes === undefined) continue;
      const samples = this.#memory.get(name) ?? [];
      this.#memory.set(name, samples);
      samples.push(bytes);
    }
    return now
      .filter(({ name, pid, restarts }) => pid === null || pid !== before.get(name) || restarts > 0)
      .map(
        ({ name, pid, restarts }) =>
          `${name} was process ${before.get(name)}, is ${pid}, ${restarts} restarts`,
      );
  }

  #said(): readonly string[] {
    const { stderr, stdout } = this.world.broker;
    const all = [...stderr.slice(this.#lines), ...stdout.slice(1)];
    this.#lines = stderr.length;
    return all
      .filter((line) => BAD_LINE.test(line) || CRASH_LINE.test(line))
      .map((line) => `the broker says: ${line.slice(0, 500)}`);
  }
}
