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

/** Answers commands to modules that nobody has (I3): the broker is the only one who sees them. */
export class UnownedCommands {
  #answering = new Set<Promise<void>>();

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
    failPoint('unowned.answering');
    // In the order of the commands, however long the log cannot be written (I5). Not for the outbox: the next start decides
    // from the log, and both would answer (I3).
    const stored = await this.producer.append(draft, { keep: false, patient: true })();
    failPoint('unowned.answered');
    if (E.isLeft(stored)) {
      this.log(`command ${command.seq} is answered at the next start: ${stored.left.message}`);
    }
  }
}
