/** Fewest places of the table; a power of two, as all its sizes are. */
const LEAST = 1_024;

/**
 * I5: the commands of one agent are answered in their order. Only agents with an open command are held: one that is
 * sent later has a higher sequence than all that were answered.
 */
export class AgentOrder {
  #lanes = new Float64Array(LEAST);
  #open = new Uint32Array(LEAST);
  #answered = new Float64Array(LEAST);
  #size = 0;

  /** A command has been sent. */
  sent(lane: number): void {
    const at = this.#find(lane);
    if (this.#lanes[at] === lane) {
      this.#open[at] = (this.#open[at] as number) + 1;
      return;
    }
    this.#lanes[at] = lane;
    this.#open[at] = 1;
    this.#answered[at] = 0;
    this.#size += 1;
    if (this.#size * 2 > this.#lanes.length) this.#grow();
  }

  /** A command that was open has been answered; the later one of its agent that was answered before it, or 0. */
  answered(lane: number, cause: number): number {
    const at = this.#find(lane);
    if (this.#lanes[at] !== lane) return 0;
    const last = this.#answered[at] as number;
    const open = (this.#open[at] as number) - 1;
    if (open === 0) this.#remove(at);
    else {
      this.#open[at] = open;
      this.#answered[at] = Math.max(last, cause);
    }
    return last > cause ? last : 0;
  }

  #home(lane: number): number {
    // Both halves of a fingerprint are mixed already.
    return (lane >>> 0) & (this.#lanes.length - 1);
  }

  /** Where the lane is, or the place that it would take. */
  #find(lane: number): number {
    const lanes = this.#lanes;
    const mask = lanes.length - 1;
    let at = this.#home(lane);
    while (lanes[at] !== 0 && lanes[at] !== lane) at = (at + 1) & mask;
    return at;
  }

  /** Closes the gap: what was put further on because of it moves back. */
  #remove(place: number): void {
    const lanes = this.#lanes;
    const mask = lanes.length - 1;
    this.#size -= 1;
    let gap = place;
    for (let at = (gap + 1) & mask; lanes[at] !== 0; at = (at + 1) & mask) {
      const home = this.#home(lanes[at] as number);
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      lanes[gap] = lanes[at] as number;
      this.#open[gap] = this.#open[at] as number;
      this.#answered[gap] = this.#answered[at] as number;
      gap = at;
    }
    lanes[gap] = 0;
  }

  #grow(): void {
    const [lanes, open, answered] = [this.#lanes, this.#open, this.#answered];
    const size = lanes.length * 2;
    this.#lanes = new Float64Array(size);
    this.#open = new Uint32Array(size);
    this.#answered = new Float64Array(size);
    for (let from = 0; from < lanes.length; from++) {
      if (lanes[from] === 0) continue;
      const at = this.#find(lanes[from] as number);
      this.#lanes[at] = lanes[from] as number;
      this.#open[at] = open[from] as number;
      this.#answered[at] = answered[from] as number;
    }
  }
}
