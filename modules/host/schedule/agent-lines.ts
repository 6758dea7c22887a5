import Denque from 'denque';
import type { Scheduled } from './scheduled.js';

/** Where commands lie that are far down the line of their agent. */
export interface Shelf<C> {
  /** Puts a command aside; gives its place, or undefined where it cannot. */
  readonly put: (command: C) => number | undefined;
  /** Takes a command from its place, once; undefined when no command may be taken any more. */
  readonly take: (place: number) => C | undefined;
}

/** Commands of one line that are kept in memory; those behind them go to the shelf. */
export const KEPT = 64;

/** What waits behind the first command of an agent, in order. A number is a place on the shelf. */
type AgentLine<C> = Denque<C | number>;

/** Most lines are one command with none behind it: they share this. */
const ALONE: AgentLine<never> = new Denque();

/**
 * A line for each agent (I5): its first command may have its turn, the others wait behind it. A long line has only
 * its first commands in memory, so that it leaves room for the other lines.
 */
export class AgentLines<C extends Scheduled> {
  /** What waits behind the first command of each agent; no line: the agent has no command. */
  readonly #lines = new Map<string, AgentLine<C>>();
  /** Agents whose first command waits for a long time: all behind it lie on the shelf. */
  readonly #asleep = new Set<string>();
  #shelved = 0;

  constructor(private readonly shelf?: Shelf<C>) {}

  /** Commands that lie on the shelf. */
  get shelved(): number {
    return this.#shelved;
  }

  /** Whether the command is the first of its line: then it may have its turn now. */
  join(command: C): boolean {
    const { agent } = command;
    const line = this.#lines.get(agent);
    if (line === undefined) this.#lines.set(agent, ALONE);
    else if (line === ALONE) this.#lines.set(agent, new Denque([this.#kept(ALONE, command)]));
    else line.push(this.#kept(line, command));
    return line === undefined;
  }

  /** The first command of an agent waits for a long time: what is behind it goes to the shelf. */
  sleeps(agent: string): void {
    this.#asleep.add(agent);
    const line = this.#lines.get(agent);
    if (line === undefined || line === ALONE) return;
    const waiting = new Denque<C | number>();
    for (let next = line.shift(); next !== undefined; next = line.shift())
      waiting.push(typeof next === 'number' ? next : this.#putAside(next));
    this.#lines.set(agent, waiting);
  }

  /** It waits no more. What is on the shelf stays there until its turn. */
  wakes(agent: string): void {
    this.#asleep.delete(agent);
  }

  /** The first command of an agent is over: gives the one behind it, which may have its turn now. */
  next(agent: string): C | undefined {
    const next = this.#lines.get(agent)?.shift();
    const command = typeof next === 'number' ? this.#takeBack(next) : next;
    if (command === undefined) this.#lines.delete(agent);
    return command;
  }

  #kept(line: AgentLine<C>, command: C): C | number {
    if (line.length < KEPT && !this.#asleep.has(command.agent)) return command;
    return this.#putAside(command);
  }

  #putAside(command: C): C | number {
    const place = this.shelf?.put(command);
    if (place === undefined) return command;
    this.#shelved += 1;
    return place;
  }

  #takeBack(place: number): C | undefined {
    this.#shelved -= 1;
    return this.shelf?.take(place);
  }
}
