import { AgentSeals } from './agent-seals.js';
import { type SealFileMark, SealFiles } from './seal-files.js';

/** The keys of one module as its file has them now: if another process replaces the file, they are read again. */
export class KeptSeals {
  readonly #files: SealFiles;
  #mark: SealFileMark | undefined;
  #seals: AgentSeals | undefined;

  constructor(
    readonly module: string,
    dataDir: string,
  ) {
    this.#files = new SealFiles(dataDir);
  }

  /** Undefined: the module has no keys, and nothing of it is encrypted. Throws {@link FaultError}. */
  now(): AgentSeals | undefined {
    const mark = this.#files.mark(this.module);
    if (mark === this.#mark) return this.#seals;
    this.#seals?.forget();
    const text = mark === undefined ? undefined : this.#files.read(this.module);
    this.#seals = text === undefined ? undefined : new AgentSeals(this.module, text);
    this.#mark = mark;
    return this.#seals;
  }
}
