import { pause } from '../../../system/async/pause.js';
import { bearer, httpAt } from '../../http/http-requests.js';

const EACH_MS = 100;
/** A machine that does something else, too, is slow; a server that is stuck is slower. */
const MOST_MS = 20_000;
const MOST_TEXTS = 10;

/** A client that asks for what is right, again and again, while others send what is wrong. */
export class GoodClient {
  readonly #wrong: string[] = [];
  #served = 0;
  #slowestMs = 0;
  #isEnding = false;

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  get text(): string {
    return `${this.#served} good requests served, the slowest in ${this.#slowestMs.toFixed(0)} ms`;
  }

  async run(): Promise<void> {
    const http = httpAt(this.url);
    const me = bearer(this.token);
    while (!this.#isEnding && this.#wrong.length < MOST_TEXTS) {
      await this.#ask('a call', () => http.post('/v1/calls/accounts/deposit/a', '{"amount":1}', me));
      await this.#ask('a state', () => http.get('/v1/agents/accounts/a', me));
      await this.#ask('the health', () => http.get('/healthz'));
      await pause(EACH_MS);
    }
  }

  /** What was wrong. */
  async stop(run: Promise<void>): Promise<readonly string[]> {
    this.#isEnding = true;
    await run;
    return this.#served === 0 ? [...this.#wrong, 'no good request was served'] : this.#wrong;
  }

  async #ask(
    what: string,
    ask: () => Promise<{ readonly status: number; readonly body: unknown }>,
  ): Promise<void> {
    const begun = performance.now();
    try {
      const { status, body } = await ask();
      const ms = performance.now() - begun;
      this.#slowestMs = Math.max(this.#slowestMs, ms);
      if (status !== 200) this.#wrong.push(`${what}: ${status} ${JSON.stringify(body)}`);
      else if (ms > MOST_MS) this.#wrong.push(`${what} took ${ms.toFixed(0)} ms`);
      else this.#served += 1;
    } catch (thrown) {
      this.#wrong.push(`${what}: ${String((thrown as Error).cause ?? thrown)}`);
    }
  }
}
