import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { collectLines } from '../../support/lines.js';
import { runProgram } from '../../support/run-program.js';
import { waitFor } from '../../support/wait-for.js';
import { LossyDisk, type Mode } from './lossy-disk.js';

const PROGRAM = 'sqlite3';

/** Why SQLite cannot be tried here; undefined where it can. */
export const whyNoSqlite = (): string | undefined =>
  spawnSync(PROGRAM, ['-version']).status === 0
    ? undefined
    : 'the program `sqlite3` is not in PATH (Debian: apt-get install sqlite3)';

export interface Setting {
  readonly journal: 'wal' | 'truncate' | 'persist' | 'delete';
  readonly synchronous: 'extra' | 'full' | 'off';
}

/** What became of rows that were committed one by one until the power was cut. */
export interface Outcome {
  readonly acknowledged: number;
  readonly lost: number;
  readonly damage: string | undefined;
}

/** More than are committed before the power is cut. */
const ROWS = 5_000;

/** Commits rows, cuts the power once so many were acknowledged, and counts what is left. */
export const commitAndCrash = async (
  { journal, synchronous }: Setting,
  cutAfter: number,
  mode: Mode,
  seed: number,
  rows = ROWS,
): Promise<Outcome> => {
  await using disk = await LossyDisk.start({ syncTimeMs: 1 });
  const file = join(disk.path, 'test.db');
  const pragmas = `PRAGMA journal_mode=${journal}; PRAGMA synchronous=${synchronous};`;
  const made = await runProgram(PROGRAM, [
    file,
    'PRAGMA synchronous=extra; CREATE TABLE rows (n INTEGER PRIMARY KEY, t TEXT);',
  ]);
  if (made.code !== 0) throw new Error(made.stderr);

  const child = spawn(PROGRAM, ['-batch', '-bail', file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdin.on('error', () => undefined);
  const told = collectLines(child.stdout);
  child.stdin.write(`.output /dev/null\n${pragmas}\n.output stdout\n`);
  for (let n = 1; n <= rows; n++)
    child.stdin.write(`INSERT INTO rows VALUES (${n}, hex(randomblob(200)));\n.print ${n}\n`);
  await waitFor(`${cutAfter} commits`, () => told.length >= cutAfter, 30_000);
  await disk.cut();
  child.kill('SIGKILL');
  await disk.lose(mode, seed);
  await ended;
  await disk.mount();

  const acknowledged = told.length;
  const found = await runProgram(PROGRAM, [
    file,
    `PRAGMA integrity_check; SELECT count(*) FROM rows WHERE n <= ${acknowledged};`,
  ]);
  const [check, count] = found.stdout.trim().split('\n').slice(-2);
  if (found.code !== 0 || check !== 'ok')
    return { acknowledged, lost: acknowledged, damage: `${found.stdout}${found.stderr}` };
  return { acknowledged, lost: acknowledged - Number(count), damage: undefined };
};
