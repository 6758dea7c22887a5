/**
 * Agents that have an urgent command waiting. All of an agent's commands before it are urgent too, since it cannot
 * overtake those (I5): hurrying it alone would change nothing.
 */
export class Urgency {
  readonly #commands = new Map<number, string>();
  readonly #agents = new Map<string, number>();

  /** An urgent command waits for its turn; one that is delivered again counts once. */
  waits(seq: number, agent: string): void {
    if (this.#commands.has(seq)) return;
    this.#commands.set(seq, agent);
    this.#agents.set(agent, (this.#agents.get(agent) ?? 0) + 1);
  }

  /** The command has its result. */
  over(seq: number): void {
    const agent = this.#commands.get(seq);
    if (agent === undefined) return;
    this.#commands.delete(seq);
    const left = (this.#agents.get(agent) ?? 1) - 1;
    if (left === 0) this.#agents.delete(agent);
    else this.#agents.set(agent, left);
  }

  has(agent: string): boolean {
    return this.#agents.has(agent);
  }

  /** Whether any agent has one. */
  get any(): boolean {
    return this.#commands.size > 0;
  }
}
