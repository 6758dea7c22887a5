import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readLog } from '../../../journal/read/reader.js';
import { HEADER } from '../../../schemas/headers.js';
import type { StoredMessage } from '../../../schemas/record.js';
import type { Result } from '../../../schemas/result.js';
import { splitSubject } from '../../../schemas/subjects.js';
import { type ChangedCalls, type Step, saysTheSame } from '../../support/changed-calls.js';
import { waitFor } from '../../support/wait-for.js';
import type { BrokerSide } from './broker-side.js';
import { PLANNER } from './module-dirs.js';
import { OF_THE_LOG } from './reloads.js';
import type { World } from './world.js';
import type { Send } from './send.js';

interface Followed {
  readonly seq: number;
  readonly calls: ChangedCalls;
  /** Of the broker's side and its planner when the code was changed. */
  readonly broker: BrokerSide;
  readonly restarts: number;
}

const parse = <T>(message: StoredMessage): T => JSON.parse(new TextDecoder().decode(message.data)) as T;

const isCallOf = (message: StoredMessage, seq: number): boolean =>
  message.header(HEADER.cause) === String(seq) && message.header(HEADER.call) !== undefined;

const stepOf = (message: StoredMessage): Step => {
  const subject = splitSubject(message.subject);
  if (subject?.kind !== 'cmd') throw new Error(`${message.seq} ${message.subject} is no command`);
  const { module, name: action, agent = '' } = subject;
  return { module, action, agent, data: parse(message) };
};

/** Handlers whose calls change between two runs, in one run of the model: what the log has of each says how it must end. */
export class Follows {
  readonly #followed: Followed[] = [];
  readonly #dir: string;
  #plans = 0;

  constructor(
    private readonly world: World,
    run: number,
    private readonly send: Send,
  ) {
    this.#dir = join(world.dirs.of(PLANNER), 'plans', String(run));
  }

  /** `recorded`: of so many calls the log has the command before the handler's code is changed and its process killed. */
  async follow(calls: ChangedCalls, recorded: number): Promise<void> {
    const { world } = this;
    this.#plans += 1;
    const plan = join(this.#dir, `${this.#plans}.json`);
    const { before, after, atOnce } = calls;
    await world.setRoom();
    this.#write(plan, { steps: before, atOnce, end: 'waits' });
    const seq = await this.send('follow', `a${this.#plans}`, { plan }, PLANNER);
    if (seq !== undefined) {
      const wanted = Math.min(recorded, before.length);
      await waitFor(`${wanted} calls of ${seq}`, async () => (await this.#count(seq)) >= wanted, 30_000);
    }
    this.#write(plan, { steps: after, atOnce, end: 'ok' });
    const { broker } = world;
    const { pid, restarts } = broker.module(PLANNER);
    if (pid !== null) process.kill(pid, 'SIGKILL');
    if (seq !== undefined) this.#followed.push({ seq, calls, broker, restarts });
  }

  findings(log: readonly StoredMessage[]): readonly string[] {
    const answers = new Map<number, Result>();
    for (const message of log) {
      if (message.subject.startsWith('res.'))
        answers.set(Number(message.header(HEADER.cause)), parse<Result>(message));
    }
    return this.#followed.flatMap((each) =>
      this.#wrong(each, log, answers).map(
        (text) =>
          `I11 command ${each.seq}, ${each.calls.change}: ${text}; ${JSON.stringify(answers.get(each.seq))}`,
      ),
    );
  }

  #wrong(
    { seq, calls: { before, after, atOnce }, broker, restarts }: Followed,
    log: readonly StoredMessage[],
    answers: ReadonlyMap<number, Result>,
  ): readonly string[] {
    const made = new Map<number, StoredMessage>();
    for (const message of log) {
      if (!isCallOf(message, seq)) continue;
      const number = Number(message.header(HEADER.call));
      if (made.has(number)) return [`call ${number} is recorded twice`];
      made.set(number, message);
    }
    const numbers = [...made.keys()].sort((a, b) => a - b);
    const others = numbers.filter((n) => !saysTheSame(stepOf(made.get(n) as StoredMessage), after[n - 1]));
    const result = answers.get(seq);
    if (result === undefined) return ['it has no result'];
    if (result.status !== 'ok') {
      const { code, dead } = result.error;
      // It was in hand when its process ended by itself.
      const { restarts: now } = broker.module(PLANNER);
      if (code === 'HANDLER_CRASHED' && (broker !== this.world.broker || now > restarts + 1)) return [];
      if (code !== 'REPLAY_DIFFERS') return ['it is told another failure'];
      if (others.length === 0) return ['its calls were the same'];
      if (dead !== true) return ['it is not dead'];
      const strange = numbers.filter((n) => {
        const step = stepOf(made.get(n) as StoredMessage);
        return !saysTheSame(step, before[n - 1]) && (!atOnce || !saysTheSame(step, after[n - 1]));
      });
      return strange.map((n) => `call ${n} is of the run that differs`);
    }
    const told = (result.data as { answers: readonly unknown[] }).answers;
    return told
      .flatMap((answer, i) => {
        // Nothing was recorded for it, or what is recorded could not be compared: the handler was told so.
        if (OF_THE_LOG.has(String(answer))) return [];
        const call = made.get(i + 1);
        if (call === undefined)
          return [`call ${i + 1} is told ${JSON.stringify(answer)} and is not recorded`];
        if (others.includes(i + 1)) return [`call ${i + 1} is told the answer of another one`];
        const said = answers.get(call.seq);
        const wanted = said?.status === 'ok' ? said.data : said?.error.code;
        return isDeepStrictEqual(answer, wanted)
          ? []
          : [`call ${i + 1} is told ${JSON.stringify(answer)}, and its answer is ${JSON.stringify(wanted)}`];
      })
      .concat(others.some((n) => n > after.length) ? ['it made fewer calls than are recorded'] : []);
  }

  async #count(seq: number): Promise<number> {
    let count = 0;
    for await (const message of readLog(this.world.control, { fromSeq: seq, filters: ['cmd.>'] }))
      if (isCallOf(message, seq)) count += 1;
    return count;
  }

  /** The file is whole at every moment: a handler may be about to read it. */
  #write(plan: string, text: object): void {
    mkdirSync(this.#dir, { recursive: true });
    writeFileSync(`${plan}.new`, JSON.stringify(text));
    renameSync(`${plan}.new`, plan);
  }
}
