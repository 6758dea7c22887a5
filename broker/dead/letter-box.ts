import type { JetStreamManager } from '@nats-io/jetstream';
import {
  DEAD,
  type DeadDetails,
  type DeadLetter,
  type DeadPage,
  type DeadSummary,
  type Redriven,
} from '../../schemas/dead.js';
import { jsonOrText } from '../../schemas/json.js';
import { LOG } from '../../schemas/log.js';
import type { StoredMessage } from '../../schemas/record.js';
import { forCaller, type Result } from '../../schemas/result.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { Redrives } from '../index/redrives.js';
import { letterRedrivenBy } from '../index/redriven-letter.js';
import { subjectOfLetter } from './letter.js';
import { getStored } from './stored.js';

/** A letter with the record of its command, from which it is sent again. */
export interface FoundLetter {
  readonly letter: DeadLetter;
  readonly command: StoredMessage;
}

/** Bytes that end a page, or a list of results: a reply must fit in one message. */
const PAGE_BYTES = 500_000;

/** Reads dead letters, with what became of them. */
export class LetterBox {
  constructor(
    private readonly jsm: JetStreamManager,
    private readonly redrives: Redrives,
  ) {}

  /** The letter of a command, by the command's sequence. */
  async find(seq: number): Promise<FoundLetter | undefined> {
    const command = await getStored(this.jsm, LOG, { seq });
    const subject = command === undefined ? undefined : splitSubject(command.subject);
    if (command === undefined || subject?.kind !== 'cmd') return undefined;
    const stored = await getStored(this.jsm, DEAD, { last_by_subj: subjectOfLetter(subject, seq) });
    return stored === undefined ? undefined : { letter: jsonOrText(stored.data) as DeadLetter, command };
  }

  /** Letters from a place in their stream on, the oldest first. */
  async page(from: number, limit: number, module: string | undefined): Promise<DeadPage> {
    const filter = module === undefined ? 'dead.>' : `dead.${module}.>`;
    const letters: DeadSummary[] = [];
    let next = from;
    let bytes = 0;
    while (letters.length < limit && bytes < PAGE_BYTES) {
      const stored = await getStored(this.jsm, DEAD, { seq: next, next_by_subj: filter });
      if (stored === undefined) return { letters, next: null };
      next = stored.seq + 1;
      const { payload: _, stack: __, ...letter } = jsonOrText(stored.data) as DeadLetter;
      const redriven = await this.redrivenBy(letter.command);
      letters.push({ ...letter, redriven });
      bytes += Buffer.byteLength(JSON.stringify(letters.at(-1)));
    }
    return { letters, next };
  }

  /** Commands that redrive a letter; what only says so, to whatever subject, is left out. */
  async redrivenBy(letter: number): Promise<readonly number[]> {
    const named = this.redrives.of(letter);
    if (named.length === 0) return [];
    const [original, ...commands] = await Promise.all(
      [letter, ...named].map((seq) => getStored(this.jsm, LOG, { seq })),
    );
    return commands.flatMap((command) =>
      command !== undefined && command.subject === original?.subject && letterRedrivenBy(command) === letter
        ? [command.seq]
        : [],
    );
  }

  /** Results of commands that redrive letters. One alone always fits. */
  async results(commands: readonly number[]): Promise<readonly Redriven[]> {
    let bytes = 0;
    const results: Redriven[] = [];
    for (const command of commands) {
      const stored = bytes < PAGE_BYTES ? await this.#result(command) : undefined;
      const size = stored?.data.length ?? 0;
      const fits = stored !== undefined && (bytes === 0 || bytes + size < PAGE_BYTES);
      if (fits) bytes += size;
      results.push({ command, result: fits ? forCaller(jsonOrText(stored.data) as Result) : null });
    }
    return results;
  }

  async details({ letter }: FoundLetter): Promise<DeadDetails> {
    const redriven: DeadDetails['redriven'][number][] = [];
    for (const command of await this.redrivenBy(letter.command)) {
      const stored = await this.#result(command);
      const result = stored === undefined ? undefined : (jsonOrText(stored.data) as Result);
      const code = result === undefined || result.status === 'ok' ? {} : { code: result.error.code };
      redriven.push({ command, status: result?.status ?? 'open', ...code });
    }
    return { ...letter, redriven };
  }

  async #result(command: number): Promise<StoredMessage | undefined> {
    const seq = this.redrives.resultOf(command);
    return seq === undefined ? undefined : getStored(this.jsm, LOG, { seq });
  }
}
