import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { OpenConversation } from '../../schemas/conversation.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import type { FilesToRead } from '../lmdb/files-to-read.js';
import { type AtLeastOptions, reached } from '../lmdb/reached.js';
import { type IndexFiles, type IndexPosition, parseOpen, indexPosition } from './index-files.js';
import { indexToRead } from './index-to-read.js';

/** Which open conversations to list. */
export interface ConversationListOptions {
  /** The last conversation of the page before. */
  readonly after?: number;
  /** Conversations a page; default 100. */
  readonly limit?: number;
  /** Those that this module, or sender, takes part in. */
  readonly module?: string;
  /** Those that an agent of this name takes part in; of any module unless `module` narrows. */
  readonly agent?: string;
}

/** A page of open conversations. */
export interface ConversationPage {
  readonly conversations: readonly OpenConversation[];
  /** What to give as `after` for the next page; null behind the last. */
  readonly next: number | null;
}

const LIMIT = 100;

const takesPart =
  ({ module, agent }: ConversationListOptions) =>
  ({ participants }: OpenConversation): boolean =>
    participants.some((participant) => {
      const [itsModule, itsAgent] = participant.split('/');
      return (module === undefined || module === itsModule) && (agent === undefined || agent === itsAgent);
    });

/**
 * The open conversations of a broker, looked up by memory map: no message is sent, and the broker is neither waited
 * for nor held up. From any process of the machine that may write in the data directory. They stand where the broker
 * has read its log to, milliseconds behind its end; without a broker, where the last one left them.
 *
 * All of it throws {@link FaultError}: CONVERSATIONS_UNAVAILABLE where there is nothing to read.
 */
export class Conversations {
  readonly #files: FilesToRead<IndexFiles>;

  constructor(private readonly dataDir: string) {
    this.#files = indexToRead(dataDir, (why) => this.#unavailable(why));
  }

  /** One conversation, by the sequence of its first record; undefined when it is not open. */
  get(conversation: number): OpenConversation | undefined {
    const { tables, reads } = this.#files.now();
    try {
      const bytes = reads.bytes(tables.conversations, conversation);
      return bytes === undefined ? undefined : this.#parse(bytes);
    } finally {
      reads.done();
    }
  }

  has(conversation: number): boolean {
    const { tables, reads } = this.#files.now();
    try {
      return reads.bytes(tables.conversations, conversation) !== undefined;
    } finally {
      reads.done();
    }
  }

  /** Open conversations, the oldest first, a page at a time. By participants, those that are listed of each count. */
  list({ after = 0, limit = LIMIT, ...who }: ConversationListOptions = {}): ConversationPage {
    const { tables, reads } = this.#files.now();
    const isMeant = who.module === undefined && who.agent === undefined ? () => true : takesPart(who);
    try {
      const found: OpenConversation[] = [];
      for (const { value } of tables.conversations.getRange({ start: after + 1, ...reads.options })) {
        const open = this.#parse(value);
        if (!isMeant(open)) continue;
        if (found.length === limit) return { conversations: found, next: found.at(-1)?.conversation ?? null };
        found.push(open);
      }
      return { conversations: found, next: null };
    } finally {
      reads.done();
    }
  }

  /** How many are open. */
  count(): number {
    const { tables, reads } = this.#files.now();
    return reads.count(tables.conversations);
  }

  /** Where they stand; undefined when nothing was written yet. */
  get position(): Pick<IndexPosition, 'seq' | 'logId'> | undefined {
    const files = this.#files.now();
    try {
      const found = indexPosition(files, files.reads.options);
      return typeof found === 'object' ? found : undefined;
    } finally {
      files.reads.done();
    }
  }

  /**
   * Waits until every record up to a sequence is in them. It is so within milliseconds where a conversation changed
   * since, else within half a second. CONVERSATIONS_BEHIND when it takes longer than `timeoutMs` (default 5,000).
   */
  atLeast(seq: number, options: AtLeastOptions = {}): TaskEither<Fault, void> {
    const position = () => this.position;
    return reached(seq, options, { position, what: 'the conversations', behind: 'CONVERSATIONS_BEHIND' });
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  #parse(bytes: Buffer): OpenConversation {
    try {
      return parseOpen(bytes);
    } catch (error) {
      const remedy = 'stop the broker, remove index/, and start it';
      throw this.#unavailable(`the index is damaged (${(error as Error).message}): ${remedy}`);
    }
  }

  #unavailable(why: string): FaultError {
    return new FaultError(
      fault('CONVERSATIONS_UNAVAILABLE', `there are no conversations of ${this.dataDir} to read: ${why}`),
    );
  }
}

/** Opens nothing yet: the files at the first look. */
export const openConversations = (dataDir: string): Conversations => new Conversations(dataDir);
