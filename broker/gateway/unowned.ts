import * as E from 'fp-ts/lib/Either.js';
import { fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { tokenOrInvalid } from '../../schemas/names.js';
import { refusal } from '../../schemas/result.js';
import { resultSubject } from '../../schemas/subjects.js';
import type { OpenCommand } from '../index/open-commands.js';
import { failPoint } from '../journal/fail-point.js';
import type { Producer } from '../journal/producer.js';

/** The subject of a command's result: a token that is no name becomes `_`, so that the log's grammar holds. */
const answerSubject = ({ module, name, agent }: OpenCommand): string =>
  resultSubject({
    module: tokenOrInvalid(module),
    name: tokenOrInvalid(name),
    ...(agent === undefined ? {} : { agent: tokenOrInvalid(agent) }),
  });

const RETRY_MS = 1_000;

/** Answers commands to modules that nobody has (I3): the broker is the only one who sees them. */
export class UnownedCommands {
  #answering = new Set<Promise<void>>();
  #closed = false;

  constructor(
    private readonly producer: Producer,
    private readonly isKnown: (module: string) => boolean,
    private readonly log: (text: string) => void,
  ) {}

  /** Answers the command if no module of that name is known. */
  consider(command: OpenCommand): void {
    if (this.isKnown(command.module)) return;
    const answering = this.#answer(command).finally(() => this.#answering.delete(answering));
    this.#answering.add(answering);
  }

  /** Resolves when every answer that was begun is stored: a module that is loaded now finds them in the log. */
  async idle(): Promise<void> {
    while (this.#answering.size > 0) await Promise.all(this.#answering);
  }

  close(): void {
    this.#closed = true;
  }

  async #answer(command: OpenCommand): Promise<void> {
    const message = `there is no module ${command.module}; \`nats micro ls\` lists them`;
    const draft = {
      subject: answerSubject(command),
      data: encodeJson(refusal(fault('MODULE_UNKNOWN', message))),
      headers: {
        [HEADER.cause]: String(command.seq),
        [HEADER.conversation]: String(command.conversation),
      },
    };
    while (!this.#closed) {
      failPoint('unowned.answering');
      // Not for the outbox: the next start decides from the log, and both would answer (I3).
      const stored = await this.producer.append(draft, { keep: false })();
      failPoint('unowned.answered');
      if (E.isRight(stored)) return;
      // Uncertain means: perhaps stored. To answer again could answer twice, so the next start decides from the log.
      if (stored.left.code === 'LOG_UNCERTAIN') {
        this.log(
          `whether command ${command.seq} is answered is unknown until the next start: ${stored.left.message}`,
        );
        return;
      }
      await new Promise((resume) => setTimeout(resume, RETRY_MS).unref());
    }
  }
}
