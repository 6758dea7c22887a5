import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import type { LogIndex } from '../index/log-index.js';
import type { Producer } from '../../journal/producer/producer.js';
import type { FoundLetter, LetterBox } from './letter-box.js';

/** Headers of a dead command that are kept. Not its deadline, which would have it expire at once. */
const KEPT = [HEADER.priority, HEADER.trace, HEADER.contentType] as const;

/**
 * Records the commands of dead letters again. Whether one was redriven is read from the log, so a broker that is
 * killed in between has recorded it or not, and the next one knows which.
 */
export class Redriver {
  /** Redrives under way by letter: two requests for the same are one after the other. */
  readonly #busy = new Map<number, Promise<unknown>>();
  /** Letters whose redrive may or may not be stored; what the log says is known after the next start. */
  readonly #uncertain = new Set<number>();

  constructor(
    private readonly producer: Producer,
    private readonly index: LogIndex,
    private readonly letters: LetterBox,
  ) {}

  /** Sequence of the new command. */
  async redrive(letter: number, again: boolean): Promise<E.Either<Fault, number>> {
    const before = this.#busy.get(letter);
    const redriving = (async () => {
      await before;
      return this.#redrive(letter, again);
    })();
    const settled = redriving.catch(() => undefined);
    this.#busy.set(letter, settled);
    try {
      return await redriving;
    } finally {
      if (this.#busy.get(letter) === settled) this.#busy.delete(letter);
    }
  }

  async #redrive(seq: number, again: boolean): Promise<E.Either<Fault, number>> {
    const found = await this.letters.find(seq);
    if (found === undefined) {
      return E.left(
        fault('DEAD_UNKNOWN', `command ${seq} is no dead letter; \`tallystick dead list\` shows them`),
      );
    }
    if (!again) {
      const refused = await this.#refusal(seq);
      if (refused !== undefined) return E.left(refused);
    }
    const stored = await this.producer.append(this.#draft(found))();
    if (E.isLeft(stored)) {
      if (stored.left.code === 'LOG_UNCERTAIN') this.#uncertain.add(seq);
      return stored;
    }
    // The next request must find it.
    await this.index.reached(stored.right.seq);
    return E.right(stored.right.seq);
  }

  async #refusal(seq: number): Promise<Fault | undefined> {
    const commands = await this.letters.redrivenBy(seq);
    if (commands.length > 0) {
      return fault(
        'DEAD_REDRIVEN',
        `${seq} was redriven as command ${commands.join(', ')}; --again does it once more`,
      );
    }
    const text = `whether the last request redrove ${seq} is unknown until the next start; --again does it anyway`;
    return this.#uncertain.has(seq) ? fault('LOG_UNCERTAIN', text) : undefined;
  }

  #draft({ letter, command }: FoundLetter): Parameters<Producer['append']>[0] {
    const headers: Record<string, string> = {
      [HEADER.conversation]: String(letter.conversation),
      [HEADER.redrives]: String(letter.command),
    };
    for (const name of KEPT) {
      const value = command.header(name);
      if (value !== undefined) headers[name] = value;
    }
    return { subject: command.subject, data: command.data, headers };
  }
}
