import Denque from 'denque';
import { OwnerRing } from '../../system/async/owner-ring.js';
import type { Arrival } from './intake-messages.js';

export interface Piece {
  readonly arrival: Arrival;
  /** Headers and payload. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const accountOf = (connection: string): string => connection.slice(0, connection.indexOf('/'));

/**
 * What was read and waits for the broker: a line for each connection. Each account has one request in turn, and within
 * it each connection, so an account with many connections is not taken more often for them.
 */
export class Lines {
  readonly #lines = new Map<string, Denque<Piece>>();
  /** Connections that have a line, by account. */
  readonly #turns = new OwnerRing<string>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(piece: Piece): void {
    const { connection } = piece.arrival;
    const line = this.#lines.get(connection);
    if (line === undefined) {
      this.#lines.set(connection, new Denque([piece]));
      this.#turns.add(accountOf(connection), connection);
    } else line.push(piece);
    this.#size += 1;
  }

  /** At most so many, and no more once they have so many bytes. */
  take(requests: number, bytes: number): readonly Piece[] {
    const taken: Piece[] = [];
    let size = 0;
    while (taken.length < requests && size < bytes) {
      const connection = this.#turns.take();
      if (connection === undefined) break;
      const line = this.#lines.get(connection) as Denque<Piece>;
      const piece = line.shift() as Piece;
      taken.push(piece);
      size += piece.arrival.size;
      this.#size -= 1;
      if (line.isEmpty()) this.#lines.delete(connection);
      else this.#turns.add(accountOf(connection), connection);
    }
    return taken;
  }
}
