import { type AuditedCode, type AuditRecord, MAX_AUDIT_TEXT, REFUSED } from '../../schemas/audit-record.js';

/** One request that was refused. */
export interface RefusedRequest {
  readonly principal: string;
  readonly code: AuditedCode;
  /** What was asked for: a subject, as far as it is known. */
  readonly target: string;
  readonly detail?: string;
  /** Its connections were closed: that is not counted together with requests. */
  readonly isCut?: boolean;
}

interface Fold {
  count: number;
  sinceMs: number;
  lastMs: number;
  last: RefusedRequest;
  windowMs: number;
  /** No window is open: the next refusal is written at once. */
  isQuiet: boolean;
  timer?: NodeJS.Timeout;
}

const FIRST_WINDOW_MS = 1_000;
/** While it goes on, the windows grow up to this. So a principal that is refused all day writes some 9,000 records. */
const LONGEST_WINDOW_MS = 10_000;

const at = (ms: number): string => new Date(ms).toISOString();
const cut = (text: string): string =>
  text.length <= MAX_AUDIT_TEXT ? text : `${text.slice(0, MAX_AUDIT_TEXT - 1)}…`;

const recordOf = ({ count, sinceMs, lastMs, last }: Fold): AuditRecord => ({
  time: at(lastMs),
  principal: last.principal,
  kind: `${REFUSED}.${last.code}`,
  outcome: last.code,
  target: cut(last.target),
  ...(last.detail === undefined ? {} : { detail: cut(last.detail) }),
  ...(count > 1 ? { count, since: at(sinceMs) } : {}),
});

export interface RefusalFoldsOptions {
  readonly write: (record: AuditRecord) => void;
  readonly now?: () => number;
}

/**
 * Makes few records of many refusals. The first one of a principal and a code is written at once. Those that follow
 * are counted, and one record per window has their number and the last of them. None is left out.
 */
export class RefusalFolds {
  readonly #folds = new Map<string, Fold>();
  readonly #now: () => number;

  constructor(private readonly options: RefusalFoldsOptions) {
    this.#now = options.now ?? Date.now;
  }

  add(refused: RefusedRequest): void {
    const key = `${refused.principal} ${refused.code}${refused.isCut === true ? ' cut' : ''}`;
    const now = this.#now();
    const open = this.#folds.get(key);
    const fold = open ?? { count: 0, sinceMs: now, lastMs: now, last: refused, windowMs: 0, isQuiet: true };
    if (fold.count === 0) fold.sinceMs = now;
    fold.count += 1;
    fold.lastMs = now;
    fold.last = refused;
    if (!fold.isQuiet) return;
    clearTimeout(fold.timer);
    this.#folds.set(key, fold);
    this.#write(key, fold);
  }

  /** Writes what was counted and not written yet. */
  close(): void {
    for (const fold of this.#folds.values()) {
      clearTimeout(fold.timer);
      if (fold.count > 0) this.options.write(recordOf(fold));
    }
    this.#folds.clear();
  }

  /** Writes the record, and counts from now on, for longer than before. */
  #write(key: string, fold: Fold): void {
    this.options.write(recordOf(fold));
    fold.count = 0;
    fold.isQuiet = false;
    fold.windowMs = Math.min(LONGEST_WINDOW_MS, Math.max(FIRST_WINDOW_MS, fold.windowMs * 2));
    this.#after(fold, fold.windowMs, () => {
      if (fold.count > 0) return this.#write(key, fold);
      // The next one is written at once. It still counts as the same flood for a while: one in each second is one too.
      fold.isQuiet = true;
      this.#after(fold, LONGEST_WINDOW_MS, () => this.#folds.delete(key));
    });
  }

  #after(fold: Fold, ms: number, then: () => void): void {
    // A count is no reason for a process to stay alive.
    fold.timer = setTimeout(then, ms).unref();
  }
}
