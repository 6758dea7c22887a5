import * as E from 'fp-ts/lib/Either.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { INVALID_PART, partOrInvalid } from '../../schemas/names.js';
import { refusal } from '../../schemas/result.js';
import { resultSubject } from '../../schemas/subjects.js';
import { ACCESS_MODULE } from '../../schemas/access-requests.js';
import type { IndexNews } from '../index/log-index.js';
import type { OpenCommand, OpenCommands } from '../index/open-commands.js';
import type { Announces } from '../../system/async/announcer.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { Producer } from '../../journal/producer/producer.js';
import { Seldom } from '../../system/lines/seldom.js';
import { moduleUnknown } from './call-admission.js';
import type { ModuleDirectory } from './directory.js';

/** The subject of a command's result: a part that is no name becomes `_`, so that the log's grammar holds. */
const answerSubject = ({ module, name, agent }: OpenCommand): string =>
  resultSubject({
    module: partOrInvalid(module),
    name: partOrInvalid(name),
    ...(agent === undefined ? {} : { agent: partOrInvalid(agent) }),
  });

/** Answers on their way to the log at a time. Whatever else waits is in the index, and pulled from there. */
const AT_ONCE = 1_000;
/** A log that took no answer is asked again after this. */
const RETRY_MS = 1_000;
/** Modules that are looked at together. */
const MODULES = 100;

/** Commands of one module that are to be looked through. */
interface UnownedSearch {
  readonly module: string;
  readonly upTo: number;
  readonly done?: () => void;
}

export interface UnownedOptions {
  readonly producer: Producer;
  /** The open commands, and up to where the log was read. */
  readonly index: Announces<IndexNews> & { readonly commands: OpenCommands; readonly position: number };
  /** A module that it does not have is unknown. */
  readonly directory: Pick<ModuleDirectory, 'find'>;
  readonly log: (text: string) => void;
}

/**
 * Gives results to commands for unknown modules (I3): only the broker sees them. However many there are, a
 * bounded number is in hand, and the answers to one module are in the order of its commands (I5).
 */
export class UnownedCommands {
  /** Numbers of the answers that are on their way, in their order. */
  readonly #inFlight = new Set<number>();
  /** Commands that are answered, and open in the index until it has read the answer: none is answered twice (I3). */
  readonly #inHand = new Set<number>();
  #begun = 0;
  #waiters: { readonly upTo: number; readonly resume: () => void }[] = [];
  #onRoom: () => void = () => undefined;
  readonly #errands: UnownedSearch[] = [];
  /** Modules that had open commands when the log was caught up with are looked at behind this name. */
  #modulesFrom: string | undefined;
  #caughtUpAt = 0;
  /** Commands from here on came while others were in hand, and were not looked at. */
  #nextFrom: number | undefined;
  #isPulling = false;
  /** While the log takes no answer none is begun: the later ones of an agent must not come first (I5). */
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  readonly #failed: Seldom;

  constructor(private readonly options: UnownedOptions) {
    this.#failed = new Seldom(options.log);
    const { index } = options;
    index.on('caughtUp', () => this.#caughtUp());
    index.on('command', (command) => this.#consider(command));
    index.on('result', ({ seq }) => this.#answered(seq));
  }

  /** The index has caught up: what was open before is answered first. */
  #caughtUp(): void {
    this.#caughtUpAt = this.options.index.position;
    this.#modulesFrom = '';
    this.#pullSoon();
  }

  /** A command has come: it is answered if no module of that name is known. */
  #consider(command: OpenCommand): void {
    // What comes while none is begun is looked at then, as all that is open.
    if (this.#retry !== undefined || this.#isKnown(command.module)) return;
    if (!this.#isPulling && this.#inHand.size < AT_ONCE) return this.#answer(command);
    this.#nextFrom ??= command.seq;
    this.#pullSoon();
  }

  /** The index has read the result of a command. */
  #answered(command: number): void {
    if (this.#inHand.delete(command)) this.#onRoom();
  }

  /** A module is known no more: what waits for it is answered. Resolves when each answer was begun. */
  forgotten(module: string): Promise<void> {
    return new Promise((done) => {
      this.#errands.push({ module, upTo: this.options.index.position, done });
      this.#pullSoon();
    });
  }

  /** Resolves when every answer that was begun is stored: a module that is loaded now finds them in the log. */
  idle(): Promise<void> {
    const upTo = this.#begun;
    if (this.#isStored(upTo)) return Promise.resolve();
    return new Promise((resume) => this.#waiters.push({ upTo, resume }));
  }

  /** Begins no more results; the next start continues. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  #again(): void {
    if (this.#closed) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#caughtUp();
    }, RETRY_MS).unref();
  }

  #pullSoon(): void {
    if (this.#isPulling) return;
    this.#isPulling = true;
    void this.#pull();
  }

  async #pull(): Promise<void> {
    for (;;) {
      const errand = this.#errands.shift();
      if (errand !== undefined) {
        await this.#pullModule(errand);
        errand.done?.();
      } else if (this.#modulesFrom !== undefined) await this.#pullModules(this.#modulesFrom);
      else if (this.#nextFrom !== undefined) await this.#pullNext(this.#nextFrom);
      else break;
    }
    this.#isPulling = false;
  }

  /** The next ones of the modules that had open commands at first. */
  async #pullModules(from: string): Promise<void> {
    const modules = this.options.index.commands.modules(from, MODULES);
    for (const module of modules) {
      // Under the name of those that are none may be others too.
      if (this.#isKnown(module) && module !== INVALID_PART) continue;
      await this.#pullModule({ module, upTo: this.#caughtUpAt });
    }
    this.#modulesFrom = modules.at(-1);
  }

  async #pullModule({ module, upTo }: UnownedSearch): Promise<void> {
    for (let after = 0; ; ) {
      const page = this.options.index.commands.pageOf(module, after, AT_ONCE);
      const meant = page.filter(({ seq }) => seq <= upTo);
      await this.#answerAll(meant);
      after = meant.at(-1)?.seq ?? after;
      if (meant.length < AT_ONCE) return;
    }
  }

  /** One page of those that came later; on from there the next time, unless there are none. */
  async #pullNext(from: number): Promise<void> {
    const page = this.options.index.commands.page(from - 1, AT_ONCE);
    const last = page.at(-1);
    this.#nextFrom = last === undefined ? undefined : last.seq + 1;
    await this.#answerAll(page);
  }

  async #answerAll(commands: readonly OpenCommand[]): Promise<void> {
    for (const command of commands) {
      // Known or not is asked as late as can be: a module may have been loaded meanwhile.
      while (this.#inHand.size >= AT_ONCE) await this.#room();
      if (this.#closed || this.#retry !== undefined) return;
      if (!this.#isKnown(command.module)) this.#answer(command);
    }
    // The index may read a little on between two pages.
    await new Promise((resume) => setImmediate(resume));
  }

  #room(): Promise<void> {
    return new Promise((resume) => {
      this.#onRoom = resume;
    });
  }

  #answer(command: OpenCommand): void {
    if (this.#inHand.has(command.seq)) return;
    this.#inHand.add(command.seq);
    const draft = {
      subject: answerSubject(command),
      data: encodeJson(refusal(moduleUnknown(command.module))),
      headers: {
        [HEADER.cause]: String(command.seq),
        [HEADER.conversation]: String(command.conversation),
      },
    };
    const number = ++this.#begun;
    this.#inFlight.add(number);
    failPoint('unowned.answering');
    // In the order of the commands, however long the log cannot be written (I5). Not for the outbox: the next start
    // decides from the log, and both would answer (I3).
    this.options.producer.submit(
      draft,
      (stored) => {
        failPoint('unowned.answered');
        if (E.isLeft(stored)) {
          this.#failed.say(
            `command ${command.seq} has no answer yet, and gets it later: ${stored.left.message}`,
          );
          this.#answered(command.seq);
          this.#again();
        }
        this.#settled(number);
      },
      { keep: false, patient: true },
    );
  }

  #isKnown(module: string): boolean {
    // The broker gives results to the commands that record grants elsewhere: see operate/serve-access.ts.
    return module === ACCESS_MODULE || this.options.directory.find(module) !== undefined;
  }

  #isStored(upTo: number): boolean {
    const [oldest = Number.POSITIVE_INFINITY] = this.#inFlight;
    return oldest > upTo;
  }

  #settled(number: number): void {
    this.#inFlight.delete(number);
    if (this.#waiters.length === 0) return;
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (this.#isStored(waiter.upTo)) waiter.resume();
      else this.#waiters.push(waiter);
    }
  }
}
