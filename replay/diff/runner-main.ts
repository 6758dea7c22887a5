/** The process in which the code that is compared runs: without a connection, a credential, or anything to write. */
import { isLeft, right } from 'fp-ts/lib/Either.js';
import { loadModule } from '../../modules/host/load-module.js';
import { type CompiledModule, compileModule } from '../../modules/sdk/compiled-module.js';
import { compileFoldable, foldEvents } from '../../modules/sdk/fold.js';
import type { ReadFoldable } from '../../modules/sdk/foldable.js';
import { givenConfig } from '../../modules/sdk/given-config.js';
import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import type { Result } from '../../schemas/result.js';
import { crashed, handleAgain } from './handle-again.js';
import {
  type FoldedStep,
  type FromRunner,
  type Item,
  type Setup,
  storedMessage,
  type ToRunner,
  type ItemVerdict,
} from './runner-messages.js';
import { refuseOutside } from './refuse-outside.js';
import { verdictOf } from './verdict.js';

const ALIVE_MS = 500;

const tell = (message: FromRunner): void => {
  process.send?.(message);
};

class ItemRunner {
  readonly #states = new Map<string, unknown>();
  readonly #changed = new Set<string>();
  /** Agents of which a step was told. */
  readonly #told = new Set<string>();
  #steps: FoldedStep[] = [];

  private constructor(
    private readonly subject: CompiledModule,
    private readonly read: ReadFoldable,
    private readonly cascade: boolean,
    private readonly config: unknown,
  ) {}

  static async open({ dir, entry, manifest, cascade, config }: Setup): Promise<ItemRunner> {
    let module: CompiledModule['module'];
    try {
      module = await loadModule(dir, entry, manifest as Manifest);
    } catch (error) {
      const { name } = manifest as Manifest;
      const text = `the code of ${name} in ${dir} cannot be run here: ${toFault(error).message}`;
      throw new FaultError(fault('MODULE_CODE_UNAVAILABLE', text));
    }
    const read = compileFoldable(module);
    if (isLeft(read)) throw new FaultError(read.left);
    const configured = config === undefined ? right(undefined) : givenConfig(module.manifest, config);
    if (isLeft(configured)) throw new FaultError(configured.left);
    return new ItemRunner(compileModule(module), read.right, cascade, configured.right);
  }

  async take(items: readonly Item[]): Promise<FromRunner> {
    const verdicts: ItemVerdict[] = [];
    this.#changed.clear();
    this.#steps = [];
    for (const item of items) {
      const verdict = await this.#one(item);
      if (verdict !== undefined) verdicts.push(verdict);
    }
    const states = [...this.#changed].map(
      (agent) => [agent, JSON.stringify(this.#states.get(agent))] as const,
    );
    return { kind: 'done', verdicts, steps: this.#steps, states };
  }

  async #one({ record, agent, state: given, again, told }: Item): Promise<ItemVerdict | undefined> {
    if (given !== undefined) this.#states.set(agent, JSON.parse(given));
    const state = this.#states.has(agent) ? this.#states.get(agent) : this.subject.module.initial;
    const foldable = this.read(storedMessage(record));
    if (isLeft(foldable)) {
      const { code, message } = foldable.left;
      throw new FaultError(fault(code, `record ${record.seq}: ${message}`));
    }
    let events: readonly AnyEvent[] = foldable.right?.events ?? [];
    let verdict: ItemVerdict | undefined;
    if (again !== undefined) {
      const handled =
        again.crashes === true
          ? crashed(this.subject.module.manifest.name)
          : await handleAgain(this.subject, again.command, state, again.calls, this.config);
      const result = JSON.parse(Buffer.from(record.data).toString('utf8')) as Result;
      verdict = verdictOf(result, events, handled);
      // What was not of the code's making, or could not be run to its end, is as it is recorded.
      const isNew = verdict.kind !== 'notDecided' && !('why' in handled);
      if (this.cascade && isNew) events = handled.outcome.events;
    }
    // Of the state before only its text is sure to stay: code may change a state in place.
    const before = told === true && !this.#told.has(agent) ? JSON.stringify(state) : undefined;
    this.#fold(record.seq, agent, state, events);
    if (told === true && events.length > 0) this.#tell(record.seq, agent, before, events);
    return verdict;
  }

  #tell(seq: number, agent: string, before: string | undefined, events: readonly AnyEvent[]): void {
    this.#told.add(agent);
    const state = JSON.stringify(this.#states.get(agent));
    this.#steps.push({ seq, events, state, ...(before === undefined ? {} : { before }) });
  }

  #fold(seq: number, agent: string, state: unknown, events: readonly AnyEvent[]): void {
    if (events.length === 0) return;
    try {
      this.#states.set(agent, foldEvents(this.subject.module, state, events));
      this.#changed.add(agent);
    } catch (error) {
      const { name, version } = this.subject.module.manifest;
      const text = `record ${seq} cannot be folded by ${name} ${version}: ${toFault(error).message}`;
      throw new FaultError(fault('FOLD_FAILED', text));
    }
  }
}

let runner: ItemRunner | undefined;

const answer = async (message: ToRunner): Promise<FromRunner> => {
  if (message.kind === 'setup') {
    refuseOutside();
    runner = await ItemRunner.open(message);
    return { kind: 'ready' };
  }
  if (runner === undefined) throw new Error('there is no code to run');
  return runner.take(message.items);
};

const failed = (thrown: unknown): FromRunner => {
  const why: Fault = toFault(thrown);
  return { kind: 'failed', fault: why };
};

// One at a time: the other side waits for each answer.
process.on('message', (message: ToRunner) => void answer(message).catch(failed).then(tell));
// A rejection that a handler left behind without a listener is no reason to end.
process.on('unhandledRejection', () => undefined);
process.on('disconnect', () => process.exit());
setInterval(() => tell({ kind: 'alive' }), ALIVE_MS).unref();
