import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import accountsModule from '../../../modules/accounts/index.js';
import type { Manifest } from '../../../schemas/manifest.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';
import { manifest as planner } from '../../fixtures/modules/planner/manifest.js';
import { writeManifest, writeModule } from '../../support/module-dir.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import type { Edition } from './editions.js';

const { manifest: accounts } = accountsModule;

export const ACCOUNTS = 'accounts';
/** A module that is a separate program, and leaves the copies of what it decides to be stored by others. */
export const FOREIGN = 'raw';
/** A module that is loaded, unloaded and removed. */
export const CHANGING = 'red';
/** A module whose handler calls accounts, and does so by a plan that changes. */
export const PLANNER = 'planner';

/** A test kills more than a crash limit is made for. */
const LIMITS = { crashes: 1_000, hangMs: 5_000 };
const ENTRY = join(import.meta.dirname, '..', '..', '..', 'modules', ACCOUNTS, 'index.js');
const ENTRY_URL = pathToFileURL(ENTRY).href;
const MANIFEST = JSON.stringify({ ...accounts, limits: LIMITS, start: { entry: './index.js' } });

/** The directories that the modules of the model are loaded from, and what of them changes in a run. */
export class ModuleDirs {
  #edition = 0;

  private constructor(
    private readonly dir: string,
    /** What the server has an account for. */
    readonly manifests: readonly Manifest[],
  ) {}

  static async write(dir: string): Promise<ModuleDirs> {
    const fixture = join(PROJECT_ROOT, 'test', 'fixtures', 'modules', FOREIGN);
    const written = JSON.parse(await readFile(join(fixture, 'manifest.json'), 'utf8')) as Manifest;
    const foreign: Manifest = {
      ...written,
      limits: { ...written.limits, ...LIMITS },
      start: { command: [process.execPath, join(fixture, 'main.js')] },
    };
    await writeManifest(join(dir, FOREIGN), foreign);
    const changing = { ...plain(CHANGING), limits: LIMITS };
    await writeModule(join(dir, CHANGING), 'plain', changing);
    const plans = { ...planner, limits: LIMITS };
    await writeModule(join(dir, PLANNER), PLANNER, plans);
    const dirs = new ModuleDirs(dir, [accounts, foreign, changing, plans]);
    await mkdir(dirs.of(ACCOUNTS));
    await writeFile(join(dirs.of(ACCOUNTS), 'package.json'), '{"type":"module"}');
    dirs.changeCode();
    return dirs;
  }

  of(module: string): string {
    return join(this.dir, module);
  }

  /** The next process of accounts has other code, which does the same. */
  changeCode(): void {
    this.#edition += 1;
    this.#replace('index.js', `// edition ${this.#edition}\nexport { default } from '${ENTRY_URL}';\n`);
    this.#replace('manifest.json', MANIFEST);
  }

  /** Until the next change of code, accounts are of this edition. */
  writeEdition({ files }: Edition, at: number): void {
    this.changeCode();
    const others = files({ entry: ENTRY_URL, manifest: MANIFEST, at });
    for (const [file, text] of Object.entries(others)) this.#replace(file, text);
  }

  /** The file is whole at every moment: a process may be starting. */
  #replace(file: string, text: string): void {
    const path = join(this.of(ACCOUNTS), file);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }
}
