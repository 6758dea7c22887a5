import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import { DEAD } from '../../schemas/dead.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { HEADER, SCHEMA_VERSION } from '../../schemas/headers.js';
import { LOG } from '../../schemas/log.js';
import { conversationOf } from '../../schemas/record.js';
import type { DueLetter, DueLetters } from '../index/due-letters.js';
import type { IndexNews } from '../index/log-index.js';
import type { Announces } from '../../system/async/announcer.js';
import { linkedRequest } from '../../link/linked-request.js';
import { parsePubAck } from '../../link/pub-ack.js';
import { composeLetter, subjectOfLetter } from './letter.js';
import { getStored } from './stored.js';
import { Backoff } from '../../system/async/backoff.js';
import { pause } from '../../system/async/pause.js';

/** Letters that are written side by side. */
const AT_ONCE = 32;
const TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 10_000;

const isFull = ({ code }: Fault): boolean => code === 'LOG_FULL';

export interface DeadLettersOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  /** Has what is due, and announces it. */
  readonly index: Announces<IndexNews> & { readonly letters: DueLetters };
  /** Where the handler of a command threw, by the code that it was answered with. */
  readonly stackOf: (module: string, command: number, code: string) => string | undefined;
  readonly log: (text: string) => void;
}

/**
 * Stores the dead letters that results in the log ask for: each once, whatever is killed. The log is the truth; what is
 * due is told again after a restart until it is stored, and a separate subject lets the server take each letter once.
 */
export class DeadLetters {
  #working: Promise<void> | undefined;
  readonly #closing = new AbortController();
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(private readonly options: DeadLettersOptions) {
    for (const news of ['caughtUp', 'dead'] as const) options.index.on(news, () => this.#wakeUp());
  }

  /** Something is due. */
  #wakeUp(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      // One may have come while the work ended.
      if (!this.#isClosed && this.options.index.letters.size > 0) this.#wakeUp();
    });
  }

  /** Letters stored since the start of the broker, by module and code. */
  get counts(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    return Object.fromEntries(
      [...this.#counts].map(([module, codes]) => [module, Object.fromEntries(codes)]),
    );
  }

  #count(module: string, code: string): void {
    const codes = this.#counts.get(module) ?? new Map<string, number>();
    this.#counts.set(module, codes.set(code, (codes.get(code) ?? 0) + 1));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#working;
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #work(): Promise<void> {
    const pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    let said = '';
    while (!this.#isClosed) {
      const batch = this.options.index.letters.first(AT_ONCE);
      if (batch.length === 0) return;
      const stored = await Promise.all(batch.map((due) => this.#store(due)));
      const failed = stored.find(E.isLeft)?.left;
      if (failed === undefined) {
        pauses.reset();
        continue;
      }
      // Said once and not at every try: it may last.
      if (said !== failed.code) this.options.log(this.#describe(failed));
      said = failed.code;
      await pause(pauses.take(), { signal: this.#closing.signal });
    }
  }

  #describe(problem: Fault): string {
    const waiting = `${this.options.index.letters.size} dead letters wait to be stored and none is lost`;
    return isFull(problem)
      ? `the stream DEAD is full: ${waiting}; start the broker with a larger --max-bytes`
      : `${waiting}: ${problem.code}: ${problem.message}`;
  }

  async #store(due: DueLetter): Promise<E.Either<Fault, void>> {
    try {
      const stored = await this.#storeOnce(due);
      if (E.isRight(stored)) this.options.index.letters.stored(due);
      return stored;
    } catch (error) {
      return E.left(toFault(error, 'LOG_UNAVAILABLE'));
    }
  }

  async #storeOnce({ command, result, time }: DueLetter): Promise<E.Either<Fault, void>> {
    const subject = subjectOfLetter(command, command.seq);
    const id = `${result}@${time}`;
    const there = await getStored(this.options.jsm, DEAD, { last_by_subj: subject });
    if (there?.header(HEADER.messageId) === id) return E.right(undefined);
    const [sent, answer] = await Promise.all([
      getStored(this.options.jsm, LOG, { seq: command.seq }),
      getStored(this.options.jsm, LOG, { seq: result }),
    ]);
    let because = '';
    const letter =
      sent === undefined || answer === undefined
        ? E.left('the log does not have them any more')
        : composeLetter(sent, answer, time, (code) => {
            because = code;
            return this.options.stackOf(command.module, command.seq, code);
          });
    if (sent === undefined || E.isLeft(letter)) {
      const why = E.isLeft(letter) ? letter.left : '';
      this.options.log(`no dead letter is made of command ${command.seq} and its result ${result}: ${why}`);
      return E.right(undefined);
    }
    const headers = makeHeaders();
    headers.set(HEADER.messageId, id);
    headers.set(HEADER.cause, String(command.seq));
    headers.set(HEADER.conversation, String(conversationOf(sent)));
    headers.set(HEADER.schema, SCHEMA_VERSION);
    // Behind what was read above, or not at all: the same letter is never there twice.
    headers.set(HEADER.fenceSequence, String(there?.seq ?? 0));
    const ack = await linkedRequest(this.options.nc, subject, letter.right, { headers, timeout: TIMEOUT_MS });
    const stored = parsePubAck(ack);
    if (E.isRight(stored)) {
      this.#count(command.module, because);
      return E.right(undefined);
    }
    return stored.left.code === 'EPOCH_LOST'
      ? E.left(fault('LOG_UNAVAILABLE', `${subject} was written by another process just now`))
      : stored;
  }
}
