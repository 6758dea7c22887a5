import { MAX_PARTICIPANTS, type OpenConversation } from '../../schemas/conversation.js';
import { partOrInvalid } from '../../schemas/names.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { CommandSubject } from '../../schemas/subjects.js';
import { parseOpen } from '../../store/log-index/index-files.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { CountedTable } from './kept-table.js';
import { OverlayRow } from './overlay.js';
import { Recent } from './recent.js';

class ConversationRow extends OverlayRow {
  constructor(
    readonly began: string,
    public lastSeq: number,
    public lastTime: string,
    /** Commands without a result. */
    public commands: number,
    readonly participants: string[],
    public more: boolean,
  ) {
    super();
  }

  join(participant: string): void {
    const { participants } = this;
    if (participants.includes(participant)) return;
    if (participants.length < MAX_PARTICIPANTS) participants.push(participant);
    else this.more = true;
  }

  toText(id: number): string {
    const { began, lastSeq, lastTime, commands, participants, more } = this;
    return JSON.stringify({
      conversation: id,
      began,
      last: { seq: lastSeq, time: lastTime },
      commands,
      participants,
      more,
    } satisfies OpenConversation);
  }
}

/**
 * Conversations that ended a moment ago. Many continue at once: the last open command is answered by an outcome that
 * sends further ones, whose copies come behind it. Those have the same beginning and participants.
 */
const ENDED = 4_096;

const participantOf = (module: string, agent: string | undefined): string =>
  agent === undefined ? partOrInvalid(module) : `${partOrInvalid(module)}/${partOrInvalid(agent)}`;

/**
 * The open conversations, folded from the log's headers in order: each has commands without a result. They lie in the
 * files; in memory is what has changed since.
 */
export class ConversationTable extends CountedTable<number, ConversationRow> {
  readonly #ended = new Recent<ConversationRow>(ENDED);
  /** None above this is open: most that begin need not be looked for. */
  #highest = 0;

  /** `onChange`: there is something to write. */
  constructor(
    files: KeptRows,
    private readonly onChange: () => void,
  ) {
    super(files, 'conversations');
  }

  override load(): void {
    super.load();
    this.#highest = this.files.highest('conversations');
  }

  /** A command opens its conversation, or continues it. */
  command(message: StoredMessage, { module, agent, sender }: CommandSubject, id: number): void {
    const { seq, time } = message;
    const conversation = this.#find(id) ?? this.#begin(id, time);
    conversation.commands += 1;
    conversation.join(partOrInvalid(sender));
    conversation.join(participantOf(module, agent));
    this.#goesOn(id, conversation, seq, time);
  }

  /** A result of an open command; the last one ends the conversation. */
  result(message: StoredMessage, id: number): void {
    const conversation = this.#find(id);
    if (conversation === undefined) return;
    conversation.commands -= 1;
    if (conversation.commands > 0) return this.#goesOn(id, conversation, message.seq, message.time);
    this.count -= 1;
    this.#ended.set(id, conversation);
    // One that nobody could see yet is not written at all.
    this.rows.gone(id, conversation);
    this.onChange();
  }

  /** An event, by the conversation that it names. */
  event(message: StoredMessage, id: number): void {
    const conversation = this.#find(id);
    if (conversation !== undefined) this.#goesOn(id, conversation, message.seq, message.time);
  }

  /** What is to be written, as it is now: many changes of one conversation are one. */
  take(): RowChanges {
    return [...this.rows.take()].map(([id, row]) => [id, row.isThere ? row.toText(id) : null]);
  }

  #find(id: number): ConversationRow | undefined {
    if (this.count === 0 || id > this.#highest) return undefined;
    const row = this.rows.find(id);
    if (row !== undefined) return row.isThere ? row : undefined;
    return this.#ended.get(id) === undefined ? this.#fromFiles(id) : undefined;
  }

  #fromFiles(id: number): ConversationRow | undefined {
    const open = this.files.row('conversations', id, parseOpen);
    if (open === undefined) return undefined;
    const { began, last, commands, participants, more } = open;
    const row = new ConversationRow(began, last.seq, last.time, commands, [...participants], more);
    row.isKept = true;
    return row;
  }

  #begin(id: number, time: string): ConversationRow {
    const ended = this.#ended.get(id);
    this.#ended.delete(id);
    this.count += 1;
    this.#highest = Math.max(this.#highest, id);
    return ended === undefined
      ? new ConversationRow(time, 0, time, 0, [], false)
      : new ConversationRow(ended.began, 0, time, 0, ended.participants, ended.more);
  }

  #goesOn(id: number, conversation: ConversationRow, seq: number, time: string): void {
    conversation.lastSeq = seq;
    conversation.lastTime = time;
    this.rows.changed(id, conversation);
    this.onChange();
  }
}
