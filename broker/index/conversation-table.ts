import { MAX_PARTICIPANTS, type OpenConversation } from '../../schemas/conversation.js';
import { tokenOrInvalid } from '../../schemas/names.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { CommandSubject } from '../../schemas/subjects.js';
import { Recent } from './recent.js';

interface Conversation {
  readonly began: string;
  lastSeq: number;
  lastTime: string;
  /** Commands without a result. */
  commands: number;
  readonly participants: string[];
  more: boolean;
}

/** What became of conversations since the last time: JSON, or null where one has ended. */
export type ConversationChanges = readonly (readonly [conversation: number, json: string | null])[];

/**
 * Conversations that ended a moment ago. Many go on at once: the last open command is answered by an outcome that sends
 * further ones, whose copies come behind it. Those have the same beginning and participants.
 */
const ENDED = 4_096;

const participantOf = (module: string, agent: string | undefined): string =>
  agent === undefined ? tokenOrInvalid(module) : `${tokenOrInvalid(module)}/${tokenOrInvalid(agent)}`;

const join = (conversation: Conversation, participant: string): void => {
  const { participants } = conversation;
  if (participants.includes(participant)) return;
  if (participants.length < MAX_PARTICIPANTS) participants.push(participant);
  else conversation.more = true;
};

/** The open conversations, folded from the log's headers in order: each has commands without a result. */
export class ConversationTable {
  readonly #open = new Map<number, Conversation>();
  readonly #ended = new Recent<Conversation>(ENDED);
  /** Of which something is to be written, or to be taken out. */
  #changed = new Set<number>();
  /** Those that are in the files, or on their way there. */
  readonly #kept = new Set<number>();

  /** `onChange`: there is something to write. */
  constructor(private readonly onChange: () => void) {}

  get size(): number {
    return this.#open.size;
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** Takes in one that was kept. */
  load({ conversation, began, last, commands, participants, more }: OpenConversation): void {
    this.#open.set(conversation, {
      began,
      lastSeq: last.seq,
      lastTime: last.time,
      commands,
      participants: [...participants],
      more,
    });
    this.#kept.add(conversation);
  }

  /** A command opens its conversation, or goes on with it. */
  command(message: StoredMessage, { module, agent, sender }: CommandSubject, id: number): void {
    const { seq, time } = message;
    const conversation = this.#open.get(id) ?? this.#begin(id, time);
    conversation.commands += 1;
    join(conversation, tokenOrInvalid(sender));
    join(conversation, participantOf(module, agent));
    this.#goesOn(id, conversation, seq, time);
  }

  /** A result of an open command; the last one ends the conversation. */
  result(message: StoredMessage, id: number): void {
    const conversation = this.#open.get(id);
    if (conversation === undefined) return;
    conversation.commands -= 1;
    if (conversation.commands > 0) return this.#goesOn(id, conversation, message.seq, message.time);
    this.#open.delete(id);
    this.#ended.set(id, conversation);
    // One that nobody could see yet is not written at all.
    if (this.#kept.has(id)) this.#change(id);
    else this.#changed.delete(id);
  }

  /** An event, by the conversation that it names. */
  event(message: StoredMessage, id: number): void {
    const conversation = this.#open.get(id);
    if (conversation !== undefined) this.#goesOn(id, conversation, message.seq, message.time);
  }

  /** What is to be written, as it is now: many changes of one conversation are one. */
  take(): ConversationChanges {
    const changes = [...this.#changed].map((id) => [id, this.#write(id)] as const);
    this.#changed = new Set();
    return changes;
  }

  /** That could not be written. */
  putBack(changes: ConversationChanges): void {
    for (const [id] of changes) {
      this.#changed.add(id);
      // Perhaps: to take out what is not there does nothing.
      this.#kept.add(id);
    }
  }

  #begin(id: number, time: string): Conversation {
    const ended = this.#ended.get(id);
    this.#ended.delete(id);
    const conversation = ended ?? {
      began: time,
      lastSeq: 0,
      lastTime: time,
      commands: 0,
      participants: [],
      more: false,
    };
    this.#open.set(id, conversation);
    return conversation;
  }

  #goesOn(id: number, conversation: Conversation, seq: number, time: string): void {
    conversation.lastSeq = seq;
    conversation.lastTime = time;
    this.#change(id);
  }

  #change(id: number): void {
    this.#changed.add(id);
    this.onChange();
  }

  #write(id: number): string | null {
    const conversation = this.#open.get(id);
    if (conversation === undefined) {
      this.#kept.delete(id);
      return null;
    }
    this.#kept.add(id);
    const { began, lastSeq, lastTime, commands, participants, more } = conversation;
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
