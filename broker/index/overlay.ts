/** A row of a table of the index: as it is now, and what the files know of it. */
export abstract class OverlayRow {
  /** false: it is taken out. */
  isThere = true;
  /** Whether the files have it. */
  isKept = false;
  /** What a group that is being written makes of it: there, or taken out; undefined while none has it. */
  isWritten: boolean | undefined;
}

/**
 * The rows of a table that have changed since they were last in the files. What comes and goes in between is never
 * written. A lookup of a row looks here first, then in the files.
 */
export class Overlay<Id, R extends OverlayRow> {
  #fresh = new Map<Id, R>();
  /** Those of the group that is being written. */
  #taken = new Map<Id, R>();

  /** Rows that are to be written. */
  get size(): number {
    return this.#fresh.size;
  }

  /** The row as it is now; undefined: as it is in the files. */
  find(id: Id): R | undefined {
    const row = this.#fresh.get(id);
    return row !== undefined || this.#taken.size === 0 ? row : this.#taken.get(id);
  }

  /** The row has come, or is another than before. */
  changed(id: Id, row: R): void {
    const before = this.find(id);
    if (before !== undefined && before !== row) {
      row.isKept = before.isKept;
      row.isWritten = before.isWritten;
    }
    this.#fresh.set(id, row);
  }

  /** The row goes. */
  gone(id: Id, row: R): void {
    row.isThere = false;
    if (row.isKept || row.isWritten !== undefined) this.#fresh.set(id, row);
    else this.#fresh.delete(id);
  }

  /** Every row that is not as the files have it, in no order. */
  *rows(): IterableIterator<readonly [Id, R]> {
    for (const entry of this.#taken) if (!this.#fresh.has(entry[0])) yield entry;
    yield* this.#fresh;
  }

  /** What the next group takes along; {@link kept} or {@link putBack} must follow. */
  take(): ReadonlyMap<Id, R> {
    this.#taken = this.#fresh;
    this.#fresh = new Map();
    for (const row of this.#taken.values()) row.isWritten = row.isThere;
    return this.#taken;
  }

  /** It is in the files, and found there. */
  kept(): void {
    for (const [id, row] of this.#taken) {
      const isKept = row.isWritten as boolean;
      for (const each of [row, this.#fresh.get(id)]) {
        if (each === undefined) continue;
        each.isKept = isKept;
        each.isWritten = undefined;
      }
    }
    this.#taken = new Map();
  }

  /** It could not be written. */
  putBack(): void {
    const since = this.#fresh;
    this.#fresh = this.#taken;
    this.#taken = new Map();
    for (const [id, row] of this.#fresh) {
      row.isWritten = undefined;
      if (!row.isThere && !row.isKept) this.#fresh.delete(id);
    }
    for (const [id, row] of since) {
      row.isWritten = undefined;
      if (row.isThere || row.isKept) this.#fresh.set(id, row);
      else this.#fresh.delete(id);
    }
  }
}
