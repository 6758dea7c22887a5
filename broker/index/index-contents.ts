import { AccountTotals } from './account-totals.js';
import { CancelledCommands } from './cancelled-commands.js';
import { CommandKeys } from './command-keys.js';
import { ConversationTable } from './conversation-table.js';
import { DueLetters } from './due-letters.js';
import { FiredSchedules } from './fired-schedules.js';
import type { IndexContentsChange } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { KnownAgents } from './known-agents.js';
import { OpenCommands } from './open-commands.js';
import { KeptSignals } from './kept-signals.js';
import { OpenWaits } from './open-waits.js';
import { Redrives } from './redrives.js';
import { Restarts } from './restarts.js';
import { WholeOutcomes } from './whole-outcomes.js';

/** Rows that may wait to be written while all is well; reading the log waits for the files then. */
const MOST_ROWS = 32_768;
/** The same in bytes of subjects, which rows hold on to. */
const MOST_BYTES = 8 * 1024 * 1024;
/** So many times as much is kept in memory while the files cannot be written. */
const MOST_WITHOUT_FILES = 12;

/**
 * What the index has gathered from the log. All of it lies in the files; in memory is what has changed since it was
 * written last, and that is bounded.
 */
export class IndexContents {
  readonly commands: OpenCommands;
  readonly waits: OpenWaits;
  readonly signals: KeptSignals;
  readonly conversations: ConversationTable;
  readonly cancelled: CancelledCommands;
  readonly redrives: Redrives;
  readonly restarts: Restarts;
  readonly keys: CommandKeys;
  readonly agents: KnownAgents;
  readonly fired: FiredSchedules;
  readonly letters: DueLetters;
  readonly whole: WholeOutcomes;
  readonly accounts: AccountTotals;
  readonly #tables;
  #bytes = 0;
  #taken = 0;
  #changed = (): void => undefined;

  constructor(files: KeptRows) {
    const onChange = (): void => this.#changed();
    this.waits = new OpenWaits(files, onChange);
    this.signals = new KeptSignals(files);
    this.commands = new OpenCommands(files, this.waits, this.signals);
    this.conversations = new ConversationTable(files, onChange);
    this.cancelled = new CancelledCommands(files);
    this.redrives = new Redrives(files);
    this.restarts = new Restarts(files);
    this.keys = new CommandKeys(files);
    this.agents = new KnownAgents(files);
    this.fired = new FiredSchedules(files);
    this.letters = new DueLetters(files, onChange);
    this.whole = new WholeOutcomes(files);
    this.accounts = new AccountTotals(files);
    const { commands, waits, signals, conversations, cancelled, redrives, keys, agents } = this;
    const { restarts, fired, letters, whole } = this;
    const own = [commands, waits, signals, conversations, cancelled, redrives, keys, agents];
    this.#tables = [...own, restarts, fired, letters, whole];
  }

  /** Has the listener called whenever something is to be written soon. */
  whenChanged(listener: () => void): void {
    this.#changed = listener;
  }

  /** Takes in what is to be known of the files before anything is looked up in them. */
  load(): void {
    const { commands, waits, conversations, redrives, keys, agents, letters, whole } = this;
    for (const table of [commands, waits, conversations, redrives, keys, agents, letters, whole])
      table.load();
    this.accounts.load();
  }

  /** A record came whose subject has so many bytes. */
  weigh(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Rows that are to be written. */
  get changes(): number {
    return this.#tables.reduce((sum, { changes }) => sum + changes, 0);
  }

  /** So much is to be written that reading must wait for it. */
  get isFull(): boolean {
    return this.#isAbove(1);
  }

  /** The same where the files cannot be written. */
  get isFullWithoutFiles(): boolean {
    return this.#isAbove(MOST_WITHOUT_FILES);
  }

  take(): IndexContentsChange {
    this.#taken = this.#bytes;
    this.#bytes = 0;
    const commands = this.commands.take();
    return {
      counts: commands.counts,
      rows: {
        ...commands.rows,
        waits: this.waits.take(),
        ...this.signals.take(),
        ...this.redrives.take(),
        restarts: this.restarts.take(),
        ...this.keys.take(),
        conversations: this.conversations.take(),
        cancelled: this.cancelled.take(),
        agents: this.agents.take(),
        fired: this.fired.take(),
        letters: this.letters.take(),
        whole: this.whole.take(),
        accounts: this.accounts.take(),
      },
    };
  }

  /** It is in the files, and found there. */
  kept(): void {
    for (const table of this.#tables) table.kept();
    this.accounts.kept();
  }

  /** It could not be written. */
  putBack(): void {
    this.#bytes += this.#taken;
    for (const table of this.#tables) table.putBack();
    this.accounts.putBack();
  }

  #isAbove(times: number): boolean {
    if (this.#bytes > MOST_BYTES * times) return true;
    // With every record: so no list is made of them.
    const { commands, waits, signals, conversations, agents, redrives, keys, fired, letters, whole } = this;
    const inLog =
      commands.changes +
      waits.changes +
      signals.changes +
      conversations.changes +
      agents.changes +
      keys.changes;
    return inLog + redrives.changes + fired.changes + letters.changes + whole.changes > MOST_ROWS * times;
  }
}
