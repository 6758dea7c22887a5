import * as E from 'fp-ts/lib/Either.js';
import { linkedRequest } from '../../../link/linked-request.js';
import type { Result } from '../../../schemas/result.js';
import { waitFor } from '../../support/wait-for.js';
import { EDITIONS, type Edition } from './editions.js';
import { ACCOUNTS } from './module-dirs.js';
import { AGENTS, type Agent } from './operations.js';
import type { World } from './world.js';

const CALL_WAIT_MS = 20_000;
const CALL_EVERY_MS = 10;
/** What a call may be answered while producers keep the log busy: the module has no part in it. */
export const OF_THE_LOG = new Set(['OVERLOADED', 'LOG_UNAVAILABLE', 'LOG_UNCERTAIN']);

/** Reloads of accounts under calls, in one run: of code that is good, and of code that is not. */
export class Reloads {
  readonly findings: string[] = [];

  constructor(private readonly world: World) {}

  async reload(code: string, at: number): Promise<void> {
    const { broker, dirs } = this.world;
    const edition = EDITIONS.get(code);
    if (edition === undefined) throw new Error(`there is no edition ${code}`);
    await this.world.setRoom();
    // What was killed before is there again; and there is a past to fold.
    await waitFor('a deposit to be answered', async () => (await this.#call('ann')) === 'ok', 30_000);
    const before = broker.module(ACCOUNTS);
    const { pid, restarts } = before;
    let isDone = false;
    const calling = AGENTS.map((agent) => this.#callUntil(agent, () => isDone));
    dirs.writeEdition(edition, at);
    const outcome = await broker.supervisor.reload(ACCOUNTS)();
    const after = broker.module(ACCOUNTS);
    // The process of before may have ended for what was done to it earlier.
    const isSame = after === before && (after.pid === pid || after.restarts !== restarts);
    if (edition.says === undefined) this.#good(outcome, after !== before && after.pid !== pid);
    else this.#broken(code, edition, outcome, isSame);
    dirs.changeCode();
    isDone = true;
    await Promise.all(calling);
  }

  #good(
    outcome: E.Either<{ readonly code: string; readonly message: string }, unknown>,
    isNew: boolean,
  ): void {
    if (E.isLeft(outcome)) this.findings.push(`good code is refused: ${outcome.left.message}`);
    else if (!isNew) this.findings.push('good code has not taken over');
  }

  #broken(
    code: string,
    { says = [] }: Edition,
    outcome: E.Either<{ readonly code: string; readonly message: string }, unknown>,
    isSame: boolean,
  ): void {
    const say = (text: string): void => {
      this.findings.push(`reload, ${code}: ${text}`);
    };
    if (E.isRight(outcome)) return say('it is not refused');
    const { message } = outcome.left;
    for (const pattern of says) if (!pattern.test(message)) say(`it does not say ${pattern}: ${message}`);
    if (!isSame) say('the process of before does not go on');
  }

  async #callUntil(agent: Agent, isDone: () => boolean): Promise<void> {
    do {
      const code = await this.#call(agent);
      await new Promise((resume) => setTimeout(resume, CALL_EVERY_MS));
      if (code !== 'ok' && !OF_THE_LOG.has(code)) this.findings.push(`a call amid a reload is told ${code}`);
    } while (!isDone());
  }

  async #call(agent: Agent): Promise<string> {
    try {
      const reply = await linkedRequest(this.world.guest, `call.accounts.deposit.${agent}`, '{"amount":1}', {
        timeout: CALL_WAIT_MS,
      });
      const result = reply.json<Result>();
      return result.status === 'ok' ? 'ok' : result.error.code;
    } catch (error) {
      return `nothing: ${(error as Error).message}`;
    }
  }
}
