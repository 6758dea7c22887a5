import * as E from 'fp-ts/lib/Either.js';
import type { Fault } from '../../../schemas/errors.js';
import { HEADER } from '../../../schemas/headers.js';
import type { ModuleRemoval } from '../../../schemas/operate.js';
import type { StoredMessage } from '../../../schemas/record.js';
import type { Result } from '../../../schemas/result.js';
import { CHANGING } from './module-dirs.js';
import type { World } from './world.js';
import type { Send } from './send.js';

/** The log does not answer, or its queue is full. */
const UNSETTLED: ReadonlySet<string> = new Set(['LOG_UNAVAILABLE', 'OVERLOADED']);

export type Change = 'load' | 'unload' | 'remove';

/** Few, so that their answers have an order to keep. */
const AGENTS = 3;

/** What becomes of commands to a module that comes and goes, in one run. */
export class ModuleLives {
  readonly #findings: string[] = [];
  #asked: Promise<void>[] = [];
  /** Commands that nobody was told of may be in the log. */
  #untold = 0;
  #told = 0;

  constructor(
    private readonly world: World,
    private readonly send: Send,
  ) {}

  tell(count: number): void {
    for (let k = 0; k < count; k++) {
      const asked = this.send('echo', `a${this.#told++ % AGENTS}`, { k }, CHANGING).then((seq) => {
        if (seq === undefined) this.#untold += 1;
        else this.world.fates.sent(seq, CHANGING);
      });
      this.#asked.push(asked);
    }
  }

  async change(change: Change): Promise<void> {
    const { fates } = this.world;
    // Whether a command was there before the change must be certain.
    await this.#acknowledged();
    await this.world.setRoom();
    const before = fates.intent(CHANGING);
    const isRefused = fates.isRefused(change, CHANGING);
    const outcome = await this.#do(change);
    const code = E.isLeft(outcome) ? outcome.left.code : 'ok';
    const say = (text: string): void => {
      this.#findings.push(`${change} of a module that is ${before}: ${text}`);
    };
    if (isRefused) {
      if (code !== (change === 'load' ? 'MODULE_STATE' : 'MODULE_UNKNOWN')) say(code);
      return;
    }
    // One whose first start failed is started again and again.
    if (change === 'load' && code === 'MODULE_START_FAILED') fates.done('load', CHANGING);
    // What its last process sent could not be settled: it is unloaded, and known.
    else if (change === 'remove' && UNSETTLED.has(code)) fates.done('unload', CHANGING);
    else if (E.isLeft(outcome)) say(`${code}: ${outcome.left.message}`);
    else {
      const { least, most } = fates.done(change, CHANGING);
      if (change !== 'remove') return;
      const { waiting } = outcome.right as ModuleRemoval;
      if (waiting < least || waiting > most + this.#untold)
        say(`${waiting} commands waited, not ${least} to ${most + this.#untold}`);
    }
  }

  /** Another broker knows of the module what the one before knew. */
  restarted(): void {
    const intent = this.world.fates.intent(CHANGING);
    const module = this.world.broker.modules.find(CHANGING);
    const is = module === undefined ? 'unknown' : module.isActive ? 'loaded' : module.state;
    const wanted = this.world.fates.isKnown(CHANGING) ? intent : 'unknown';
    if (is !== wanted) this.#findings.push(`I3 a module that is ${intent} is ${is} after a restart`);
  }

  /** Has the commands that wait handled. */
  async end(): Promise<void> {
    await this.#acknowledged();
    if (this.world.fates.intent(CHANGING) === 'unloaded') await this.change('load');
  }

  findings(log: readonly StoredMessage[]): readonly string[] {
    const answers = new Map<number, string>();
    for (const message of log) {
      if (!message.subject.startsWith(`res.${CHANGING}.`)) continue;
      const result = JSON.parse(new TextDecoder().decode(message.data)) as Result;
      const code = result.status === 'ok' ? 'ok' : result.error.code;
      answers.set(Number(message.header(HEADER.cause)), code);
      if (code !== 'ok' && code !== 'MODULE_UNKNOWN')
        this.#findings.push(`I3 ${message.seq}: ${message.subject} is ${code}`);
    }
    const wrong = this.world.fates.findings(answers);
    this.world.fates.clear();
    return [...this.#findings, ...wrong];
  }

  #do(change: Change): Promise<E.Either<Fault, unknown>> {
    const { supervisor } = this.world.broker;
    if (change === 'load') return supervisor.load(this.world.dirs.of(CHANGING))();
    if (change === 'unload') return supervisor.unload(CHANGING, false)();
    return supervisor.remove(CHANGING, { unload: true })();
  }

  async #acknowledged(): Promise<void> {
    await Promise.all(this.#asked);
    this.#asked = [];
  }
}
