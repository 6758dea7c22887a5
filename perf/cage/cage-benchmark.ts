import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isLeft } from 'fp-ts/lib/Either.js';
import { FaultError } from '../../schemas/errors.js';
import { type CommandLine, inCage } from '../../system/cage/caged-command.js';
import { type Cage, findCage } from '../../system/cage/find-cage.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { type Measured, measured } from '../bench/rounds.js';
import type { Report, Scenario } from '../bench/scenario.js';

const PAIRS = 30;

/** Loads the files that the host of a module loads, and ends. */
const PROGRAM: CommandLine = [
  process.execPath,
  [fileURLToPath(new URL('../../modules/entry.js', import.meta.url))],
];

/** From the decision to start the program until its end, milliseconds. */
const timeOf = (line: () => CommandLine): Promise<number> =>
  new Promise((resolve, reject) => {
    const from = performance.now();
    const [program, args] = line();
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(performance.now() - from);
      else reject(new Error(`the program ended with exit code ${code}`));
    });
  });

const caged = (cage: Cage, dir: string): CommandLine =>
  inCage(
    cage,
    { dir, code: [dir], write: [join(dir, 'own')], connect: [4222], listen: [], secret: join(dir, 'data') },
    PROGRAM,
  );

const report = (free: Measured, inside: Measured, added: Measured, layers: readonly string[]): Report => ({
  data: { cage: { layers, free, inside, added }, ratios: { cageAddsMs: added.median } },
  tables: [
    {
      title: `a process from its start to its end, ms, ${added.values.length} pairs; layers: ${layers.join(', ')}`,
      heads: ['', 'median', 'least', 'most'],
      rows: Object.entries({
        'without a cage': free,
        'in a cage': inside,
        'difference of a pair': added,
      }).map(([name, { median, min, max }]) => [name, ...[median, min, max].map((ms) => ms.toFixed(1))]),
    },
  ],
});

/** What the cage adds to the start of a module's process. */
export const cageBenchmark: Scenario = {
  name: 'cage',
  summary: 'what the cage adds to the start of a process, in pairs',
  run: async ({ rounds = PAIRS, say }): Promise<Report> => {
    const found = await findCage('auto');
    if (isLeft(found)) throw new FaultError(found.left);
    const { cage } = found.right;
    if (cage === undefined) throw new Error(found.right.status.layers.map(({ detail }) => detail).join('\n'));
    await using dir = await makeBenchDir();
    for (const name of ['own', 'data']) mkdirSync(join(dir.path, name));
    const ways = { free: () => PROGRAM, inside: () => caged(cage, dir.path) };
    const times = { free: [] as number[], inside: [] as number[] };
    // The first start of each reads its files from the disk.
    for (const way of Object.values(ways)) await timeOf(way);
    for (let pair = 0; pair < rounds; pair++) {
      const order = pair % 2 === 0 ? (['free', 'inside'] as const) : (['inside', 'free'] as const);
      for (const way of order) times[way].push(await timeOf(ways[way]));
      say(
        `pair ${pair + 1} of ${rounds}: ${times.free.at(-1)?.toFixed(1)} and ${times.inside.at(-1)?.toFixed(1)} ms`,
      );
    }
    const added = times.inside.map((ms, i) => ms - (times.free[i] ?? 0));
    return report(measured(times.free), measured(times.inside), measured(added), [...cage.layers]);
  },
};
