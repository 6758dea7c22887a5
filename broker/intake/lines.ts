import Denque from 'denque';
import type { Arrival } from './intake-messages.js';

export interface Piece {
  readonly arrival: Arrival;
  /** Headers and payload. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What was read and waits for the broker: a line for each connection, one request of each in turn. */
export class Lines {
  readonly #lines = new Map<string, Denque<Piece>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(piece: Piece): void {
    const { connection } = piece.arrival;
    const line = this.#lines.get(connection);
    if (line === undefined) this.#lines.set(connection, new Denque([piece]));
    else line.push(piece);
    this.#size += 1;
  }

  /** At most so many, and no more once they have so many bytes. */
  take(requests: number, bytes: number): readonly Piece[] {
    const taken: Piece[] = [];
    let size = 0;
    while (this.#lines.size > 0) {
      for (const [connection, line] of this.#lines) {
        if (taken.length >= requests || size >= bytes) return taken;
        const piece = line.shift() as Piece;
        taken.push(piece);
        size += piece.arrival.size;
        this.#size -= 1;
        // Behind the others, so that the next batch begins with who had no turn in this one.
        this.#lines.delete(connection);
        if (!line.isEmpty()) this.#lines.set(connection, line);
      }
    }
    return taken;
  }
}
