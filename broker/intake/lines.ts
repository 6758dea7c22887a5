import type { Arrival } from './intake-messages.js';

export interface Piece {
  readonly arrival: Arrival;
  /** Headers and payload. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Line {
  pieces: Piece[];
  head: number;
}

/** What was read and waits for the broker: a line for each connection, one request of each in turn. */
export class Lines {
  readonly #lines = new Map<string, Line>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(piece: Piece): void {
    const { connection } = piece.arrival;
    const line = this.#lines.get(connection);
    if (line === undefined) this.#lines.set(connection, { pieces: [piece], head: 0 });
    else line.pieces.push(piece);
    this.#size += 1;
  }

  /** At most so many, and no more once they have so many bytes. */
  take(requests: number, bytes: number): readonly Piece[] {
    const taken: Piece[] = [];
    let size = 0;
    while (this.#lines.size > 0) {
      for (const [connection, line] of this.#lines) {
        if (taken.length >= requests || size >= bytes) return taken;
        const piece = line.pieces[line.head++] as Piece;
        taken.push(piece);
        size += piece.arrival.size;
        this.#size -= 1;
        // Behind the others, so that the next batch begins with who had no turn in this one.
        this.#lines.delete(connection);
        if (line.head === line.pieces.length) continue;
        if (line.head > 1_024 && line.head * 2 > line.pieces.length) {
          line.pieces = line.pieces.slice(line.head);
          line.head = 0;
        }
        this.#lines.set(connection, line);
      }
    }
    return taken;
  }
}
