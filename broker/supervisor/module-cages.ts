import { readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { BUILT_DIR } from '../../schemas/config.js';
import { type CagePlan, type CommandLine, inCage, ownPaths } from '../../system/cage/caged-command.js';
import type { Cage } from '../../system/cage/find-cage.js';
import { FAIL_VARIABLE } from '../../system/processes/fail-point.js';
import { requestText } from './cage-grants.js';
import { sourceOf } from './module-origin.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { identityOf } from '../../system/files/path-identity.js';
import { serverPorts } from './server-ports.js';
import type { ModuleSource } from './manifest-file.js';

export interface ModuleCagesOptions {
  /** Undefined: processes run without a cage. */
  readonly cage: Cage | undefined;
  /** Without symbolic links. */
  readonly dataDir: string;
  readonly natsUrl: string;
  /**
   * All modules have the same cage: a host that waits does not know its module yet. They see each other's code and
   * snapshots then.
   */
  readonly isShared?: boolean;
}

export interface CagedProcess {
  readonly source: ModuleSource;
  /** Where a debugger attaches; 0: a free port. */
  readonly inspectPort?: number | undefined;
  /** The directory of a trial, which has no connection to the server and no other place to write. */
  readonly trialIn?: string;
}

/** Tests have processes note there which fail-points acted. */
const failDir = (): readonly string[] => {
  const dir = process.env[FAIL_VARIABLE];
  return dir === undefined || dir === '' ? [] : [dir];
};

const emptyDir = (dir: string): void => {
  makeDirs(dir);
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
};

const NOTHING: CommandLine = ['', []];

/** The cages of the processes of all modules. */
export class ModuleCages {
  /** All directories of code so far. Only for a shared cage. */
  readonly #shared = new Set<string>();

  constructor(private readonly options: ModuleCagesOptions) {}

  /** Whether processes run in a cage with at least one layer. */
  get areClosed(): boolean {
    return this.options.cage !== undefined;
  }

  /** Two modules with the same key have the same cage. */
  keyOf(source: ModuleSource): string {
    const { name, cage } = source.manifest;
    // Landlock opens what is at a path now, and not what comes there later.
    const opened = this.options.cage && ownPaths(this.#plan({ source }), NOTHING);
    const what = opened?.map((path) => [path, identityOf(path)]);
    return JSON.stringify([this.options.isShared === true || name, cage, what]);
  }

  /** A line about what a module may do because its manifest asks for it; undefined: it asks for nothing. */
  grantedText({ manifest }: ModuleSource): string | undefined {
    const text = this.options.cage === undefined ? '' : requestText(manifest.cage ?? {});
    return text === '' ? undefined : `its cage has what its manifest asks for: ${text}`;
  }

  /** Removes what earlier processes of a module left in its temporary directory. None of them runs. */
  emptyTemporary({ manifest }: ModuleSource): void {
    if (this.options.cage !== undefined) emptyDir(this.#temporaryDir(manifest.name));
  }

  /** The program in the cage of its module. */
  around(line: CommandLine, process: CagedProcess): CommandLine {
    const { cage } = this.options;
    if (cage === undefined) return line;
    const plan = this.#plan(process);
    for (const dir of plan.write) makeDirs(dir);
    return inCage(cage, plan, line);
  }

  #plan({ source, inspectPort, trialIn }: CagedProcess): CagePlan {
    const { dataDir, natsUrl, isShared = false } = this.options;
    const { name, cage: request } = source.manifest;
    const one = isShared ? '.' : name;
    const own = [join(dataDir, 'snapshots', one), this.#temporaryDir(one)];
    const code = this.#codeDirs(source.dir);
    if (isShared) for (const dir of code) this.#shared.add(dir);
    return {
      dir: source.dir,
      code: isShared ? [...this.#shared].sort() : code,
      write: [...(trialIn === undefined ? own : [trialIn]), ...failDir()],
      connect: trialIn === undefined ? serverPorts(natsUrl) : [],
      listen: inspectPort === undefined ? [] : [inspectPort],
      secret: dataDir,
      request,
    };
  }

  /** Variables that a process in a cage needs. */
  environment(module: string): NodeJS.ProcessEnv {
    return this.options.cage === undefined ? {} : { TMPDIR: this.#temporaryDir(module) };
  }

  /**
   * Builds of a module from its source lie next to each other, and a host that waits may get the next one. Code reads
   * files next to its source.
   */
  #codeDirs(dir: string): readonly string[] {
    const way = relative(join(this.options.dataDir, BUILT_DIR), dir);
    if (!/^[^./][^/]*\/[^/]+$/.test(way)) return [dir];
    const source = sourceOf(dir);
    return [dirname(dir), ...(source === undefined ? [] : [dirname(source)])];
  }

  #temporaryDir(module: string): string {
    return join(this.options.dataDir, 'temporary', module);
  }
}
