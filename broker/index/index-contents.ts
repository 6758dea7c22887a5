import { isName } from '../../schemas/names.js';
import { ConversationTable } from './conversation-table.js';
import { AGENT, entriesOf, type IndexFiles, parseOpen, REDRIVE } from './index-files.js';
import type { IndexChange } from './index-store.js';
import { Redrives } from './redrives.js';

/** What one group takes to the files. */
export type Unsaved = Pick<IndexChange, 'agents' | 'fired' | 'redrives' | 'conversations'>;

/**
 * What the index has gathered from the log: which agents there are, what schedules have sent, which commands redrive dead
 * letters, and the open conversations; and what of it is not in the files yet.
 */
export class IndexContents {
  readonly redrives = new Redrives();
  readonly conversations: ConversationTable;
  readonly #known = new Set<string>();
  #fresh: string[] = [];
  /** Firings of schedules that are in the log and not in the files, by schedule. */
  readonly #fired = new Map<string, number>();

  /** `firedInFiles`: what {@link lastFiring} finds in the files. `onConversation`: one is to be written. */
  constructor(
    private readonly firedInFiles: (schedule: string) => number | undefined,
    onConversation: () => void,
  ) {
    this.conversations = new ConversationTable(onConversation);
  }

  get agents(): number {
    return this.#known.size;
  }

  /** Takes in what is in the files. Throws where that is damaged, and then has taken in nothing. */
  load(files: IndexFiles): void {
    const conversations = [...files.conversations.getRange({})].map(({ value }) => parseOpen(value));
    const redrives = [...entriesOf(files, REDRIVE)];
    for (const [key] of entriesOf(files, AGENT)) this.#known.add(key);
    for (const [key, result] of redrives) this.redrives.load(key, result);
    for (const conversation of conversations) this.conversations.load(conversation);
  }

  addAgent(module: string, agent: string): void {
    const key = `${module}/${agent}`;
    // A token of a subject can be what no key of a database may be; a name can.
    if (this.#known.has(key) || !isName(agent)) return;
    this.#known.add(key);
    this.#fresh.push(key);
  }

  /** The log has what this schedule sent up to a firing, which its next due time names; see {@link lastFiring}. */
  fired(schedule: string, nextMs: number): void {
    if ((this.lastFiring(schedule) ?? -1) < nextMs) this.#fired.set(schedule, nextMs);
  }

  /** The due time behind the last firing that the log has, milliseconds since 1970; undefined when it has none. */
  lastFiring(schedule: string): number | undefined {
    return this.#fired.get(schedule) ?? this.firedInFiles(schedule);
  }

  take(): Unsaved {
    const agents = this.#fresh;
    this.#fresh = [];
    return {
      agents,
      fired: [...this.#fired],
      redrives: [...this.redrives.fresh()],
      conversations: this.conversations.take(),
    };
  }

  /** It is in the files, and found there. */
  kept({ fired, redrives }: Unsaved): void {
    this.redrives.kept(new Map(redrives));
    for (const [schedule, nextMs] of fired) {
      if (this.#fired.get(schedule) === nextMs) this.#fired.delete(schedule);
    }
  }

  /** It could not be written. */
  putBack({ agents, conversations }: Unsaved): void {
    this.#fresh = [...agents, ...this.#fresh];
    this.conversations.putBack(conversations);
  }
}
