import type { HistoryRecord } from '../../schemas/record.js';

/** How long a command waited for the commands before it at its agent. */
export interface Wait {
  /** When the last of them was answered: milliseconds since 1970. */
  readonly untilMs: number;
  /** How many were answered between. */
  readonly commands: number;
}

interface TurnsTaken {
  answered: number;
  lastMs: number;
  /** Commands that wait here. Without any, the count is not needed. */
  waiting: number;
}

type Seen = Pick<HistoryRecord, 'seq' | 'kind' | 'module' | 'agent' | 'cause'> & { readonly timeMs: number };

const agentOf = ({ module, agent }: Seen): string => `${module}/${agent ?? ''}`;

/**
 * Folds how commands waited for each other at an agent. An agent handles one command at a time, in the log's order
 * (I5), so until the last result that its agent stored before its own a command cannot have been begun.
 */
export class AgentTurns {
  readonly waits = new Map<number, Wait>();
  readonly #turns = new Map<string, TurnsTaken>();
  readonly #waiting = new Map<number, { readonly agent: string; readonly before: number }>();

  /** A command whose wait is wanted. */
  command(record: Seen): void {
    const agent = agentOf(record);
    let turns = this.#turns.get(agent);
    if (turns === undefined) {
      turns = { answered: 0, lastMs: 0, waiting: 0 };
      this.#turns.set(agent, turns);
    }
    turns.waiting += 1;
    this.#waiting.set(record.seq, { agent, before: turns.answered });
  }

  /** Any result, of any conversation. */
  result(record: Seen): void {
    const own = record.cause === null ? undefined : this.#waiting.get(record.cause);
    if (own !== undefined && record.cause !== null) this.#answered(record.cause, own);
    const turns = this.#turns.get(agentOf(record));
    if (turns === undefined) return;
    turns.answered += 1;
    turns.lastMs = record.timeMs;
  }

  #answered(seq: number, { agent, before }: { readonly agent: string; readonly before: number }): void {
    this.#waiting.delete(seq);
    const turns = this.#turns.get(agent);
    if (turns === undefined) return;
    const commands = turns.answered - before;
    if (commands > 0) this.waits.set(seq, { untilMs: turns.lastMs, commands });
    turns.waiting -= 1;
    if (turns.waiting === 0) this.#turns.delete(agent);
  }
}
