import { parseSequence } from '../../schemas/identity.js';
import { MAX_BYTES } from './generate/payload.js';
import { type ActionInput, type Input, inputText, type RequestInput, type ScriptInput } from './input.js';
import { judge } from './judge.js';
import type { Tally } from './tally.js';
import { type Ending, runScript } from './wire/wire.js';
import type { World } from './world.js';

/** At a time, each with an answer to come. */
const REQUESTS = 256;
const SCRIPTS = 12;

const PROMISED_MS = 20_000;
/** Where nothing is promised, nothing is learned by waiting long. */
const UNPROMISED_MS = 500;

const DEPOSIT = /^call\.accounts\.deposit\.[\w-]{1,64}$/;
const CAUSE = /^Tally-Cause: ?(\d+)\r?$/m;

/** Holds back whoever would be one too many. */
class Places {
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(private readonly most: number) {}

  async take(): Promise<void> {
    if (this.#taken >= this.most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#taken += 1;
  }

  free(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}

/** Sends inputs, many at a time, and judges how each ends. */
export class Sender {
  /** Deposits that were answered with ok: their commands' sequences. */
  readonly deposits = new Set<number>();
  readonly #requests = new Places(REQUESTS);
  readonly #scripts = new Places(SCRIPTS);
  readonly #open = new Set<Promise<void>>();
  readonly #sweep: NodeJS.Timeout;
  #actions: Promise<void> = Promise.resolve();

  constructor(
    private readonly world: World,
    private readonly tally: Tally,
  ) {
    this.#sweep = setInterval(() => void this.#giveUp(), 100);
  }

  /** Begins with an input; resolves when the next one may be sent. `repeat`: how to send this one alone. */
  async send(input: Input, repeat: string): Promise<void> {
    this.tally.inputs += 1;
    const find = (what: string): void => this.tally.find({ what, repeat, input: inputText(input) });
    switch (input.type) {
      case 'request':
        await this.#requests.take();
        return this.#track(this.#request(input, find).finally(() => this.#requests.free()));
      case 'script':
        await this.#scripts.take();
        return this.#track(this.#script(input).finally(() => this.#scripts.free()));
      case 'action':
        // One after the other: each may change who is connected.
        this.#actions = this.#actions.then(() => this.#action(input, find));
        return this.#track(this.#actions);
    }
  }

  /** Resolves when all that was sent has ended. */
  async drain(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  async close(): Promise<void> {
    await this.drain();
    clearInterval(this.#sweep);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#open.delete(tracked));
    this.#open.add(tracked);
  }

  async #request(input: RequestInput, find: (what: string) => void): Promise<void> {
    let ending = await this.#once(input);
    // A change of the accounts can end connections: what was under way on them is sent once more.
    if (ending.type === 'cut') ending = await this.#once(input);
    // What is left without an answer for its own sake is so again; once in a million it is not, and is counted.
    if (ending.type === 'silence' && input.promised) {
      this.tally.count(input.kind, 'silence once');
      ending = await this.#once(input);
    }
    const { outcome, finding } = judge(input, ending);
    this.tally.count(input.kind, outcome);
    if (finding !== undefined) find(`${input.kind}: ${finding}`);
    if (ending.type === 'answer' && outcome === 'served' && DEPOSIT.test(input.subject)) {
      const cause = parseSequence(CAUSE.exec(ending.headers)?.[1] ?? '');
      if (cause !== undefined) this.deposits.add(cause);
    }
  }

  async #once({ as, promised, payload, ...input }: RequestInput): Promise<Ending> {
    // With one byte more the server would end the connection.
    const room = MAX_BYTES - (input.headers?.length ?? 0);
    const wire = await this.world.wire(as).catch(() => undefined);
    if (wire === undefined) return { type: 'cut' };
    const patienceMs = promised ? PROMISED_MS : UNPROMISED_MS;
    return new Promise(
      (settle) => void wire.request({ ...input, payload: payload.subarray(0, room), patienceMs }, settle),
    );
  }

  async #script({ kind, writes }: ScriptInput): Promise<void> {
    await runScript(this.world.url, writes);
    this.tally.count(kind, 'sent');
  }

  async #action({ kind, run }: ActionInput, find: (what: string) => void): Promise<void> {
    if (this.world.ended) return;
    const problem = await run(this.world).catch((error: Error) => `failed: ${error.message}`);
    this.tally.count(kind, problem === undefined ? 'answered' : 'wrong');
    if (problem !== undefined) find(`${kind}: ${problem}`);
  }

  async #giveUp(): Promise<void> {
    for (const wire of await this.world.wires()) wire.giveUp();
  }
}
