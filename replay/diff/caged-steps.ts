import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { readMerged } from '../../journal/read/read-merged.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { AgentState } from '../../store/snapshots/index.js';
import type { AgentStep } from '../state/state-steps.js';
import { type CagedModuleQuery, type CagedStart, cagedStart } from './caged-start.js';
import { Runner } from './runner.js';
import { type FoldedStep, type Item, plainRecord } from './runner-messages.js';

/** Which steps of a module's past. */
export interface CagedStepsQuery extends CagedModuleQuery {
  /** `''` is the module itself; undefined: each agent, of a module that folds no events of others. */
  readonly agent: string | undefined;
  readonly from: number;
  readonly to: number;
}

/** What an agent was before. */
type AgentBase = Pick<AgentState, 'seq' | 'time' | 'state'>;

/** One record that changed an agent. */
export interface CagedStep extends AgentStep {
  readonly agent: string;
}

/** What was folded next. */
export interface CagedBatch {
  /** The steps in the order of the log. */
  readonly steps: readonly CagedStep[];
  /** Everything up to this sequence is folded. */
  readonly to: number;
}

const PAGE = 512;
/** Records that are folded together: their states travel together too. */
const FEWEST = 8;
const MOST = 256;
const BATCH_CHARS = 1_000_000;

const or = <T>(outcome: Either<Fault, T>): T => {
  if (isLeft(outcome)) throw new FaultError(outcome.left);
  return outcome.right;
};

/** Steps of a past, folded by the code of the module in a caged process without a credential. */
export class CagedSteps implements AsyncDisposable {
  readonly #runner: Runner;
  /** The state of each agent that was met: behind its last step, or before its first. */
  readonly #states = new Map<string, unknown>();
  readonly #begun = new Set<string>();
  /** Folded once: to fold them again would go on from there. */
  readonly #bases = new Map<string, AgentBase | undefined>();
  #together = FEWEST;

  private constructor(
    private readonly query: CagedStepsQuery,
    private readonly start: CagedStart,
  ) {
    this.#runner = new Runner(start.runner);
  }

  /** Throws as {@link cagedStart} says. */
  static async open(query: CagedStepsQuery): Promise<CagedSteps> {
    return new CagedSteps(query, or(await cagedStart(query, query.to)));
  }

  /** The last record that counts. */
  get to(): number {
    return this.start.at;
  }

  /** What an agent was before the first record; undefined: nothing had happened to it. */
  async base(agent: string): Promise<AgentBase | undefined> {
    if (!this.#bases.has(agent)) this.#bases.set(agent, await this.#foldBase(agent));
    return this.#bases.get(agent);
  }

  async #foldBase(agent: string): Promise<AgentBase | undefined> {
    const { base, sequences } = this.query.agents.past(agent, this.query.from - 1);
    const records = or(await recordsAt(this.start.api, sequences)());
    const last = records.at(-1);
    if (last === undefined) return base;
    const first = base === undefined ? {} : { state: JSON.stringify(base.state) };
    or(
      await this.#runner.fold(
        records.map((message, i) => ({ record: plainRecord(message), agent, ...(i === 0 ? first : {}) })),
      ),
    );
    const state = this.#runner.state(agent);
    return state === undefined ? base : { seq: last.seq, time: last.time, state: JSON.parse(state) };
  }

  /** All steps, in the order of the log. Throws FOLD_FAILED, and why the log cannot be read. */
  async *batches(): AsyncGenerator<CagedBatch, void, void> {
    for await (const page of this.query.agent === undefined ? this.#all() : this.#ofAgent(this.query.agent)) {
      for (let i = 0; i < page.length; ) {
        const records = page.slice(i, i + this.#together);
        i += records.length;
        yield { steps: await this.#fold(records), to: records.at(-1)?.seq ?? this.to };
      }
    }
  }

  async *#ofAgent(agent: string): AsyncGenerator<readonly StoredMessage[], void, void> {
    const { agents, from } = this.query;
    for (let next = from; ; ) {
      const found = agents.sequences(agent, next, PAGE);
      const wanted = found.filter((seq) => seq <= this.to);
      const records = or(await recordsAt(this.start.api, wanted)());
      if (records.length > 0) yield records;
      const last = found.at(-1);
      if (last === undefined || last >= this.to) return;
      next = last + 1;
    }
  }

  async *#all(): AsyncGenerator<readonly StoredMessage[], void, void> {
    const { nc, from, manifest } = this.query;
    if (from > this.to) return;
    const parts = ['res', 'evt'].map((kind) => ({ filter: `${kind}.${manifest.name}.>` }));
    yield* readMerged(nc, parts, { fromSeq: from, toSeq: this.to });
  }

  #agentOf(message: StoredMessage): string {
    if (this.query.agent !== undefined) return this.query.agent;
    const subject = splitSubject(message.subject);
    return (subject !== undefined && 'agent' in subject ? subject.agent : undefined) ?? '';
  }

  async #fold(records: readonly StoredMessage[]): Promise<readonly CagedStep[]> {
    const items: Item[] = [];
    for (const message of records) {
      const agent = this.#agentOf(message);
      const given = await this.#begin(agent);
      items.push({ record: plainRecord(message), agent, told: true, ...given });
    }
    const steps = or(await this.#runner.fold(items));
    const chars = steps.reduce((all, { state }) => all + state.length, 0);
    this.#together = Math.max(
      1,
      Math.min(MOST, chars > BATCH_CHARS ? this.#together >> 1 : this.#together * 2),
    );
    return this.#withRecords(records, steps);
  }

  /** Of an agent that is met for the first time, what it was before. */
  async #begin(agent: string): Promise<Pick<Item, 'state'>> {
    if (this.#begun.has(agent)) return {};
    this.#begun.add(agent);
    const base = await this.base(agent);
    if (base !== undefined) this.#states.set(agent, base.state);
    // What was folded for it, the process has.
    return base === undefined || this.#runner.state(agent) !== undefined
      ? {}
      : { state: JSON.stringify(base.state) };
  }

  #withRecords(records: readonly StoredMessage[], steps: readonly FoldedStep[]): readonly CagedStep[] {
    const bySeq = new Map(records.map((message) => [message.seq, message]));
    return steps.flatMap(({ seq, events, before: told, state: text }) => {
      const message = bySeq.get(seq);
      const event = events.at(-1);
      if (message === undefined || event === undefined) return [];
      const agent = this.#agentOf(message);
      const before: unknown =
        this.#states.has(agent) || told === undefined ? this.#states.get(agent) : JSON.parse(told);
      const state: unknown = JSON.parse(text);
      this.#states.set(agent, state);
      return [{ seq, time: message.time, agent, event, events, before, state }];
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#runner[Symbol.asyncDispose]();
  }
}
