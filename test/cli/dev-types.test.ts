import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startDev } from '../support/dev-program.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { waitFor } from '../support/wait-for.js';
import { counter, devProject } from './dev-project.js';

const tsconfig = (include: readonly string[]): string =>
  JSON.stringify({
    compilerOptions: { strict: true, module: 'nodenext', skipLibCheck: true, types: [] },
    include,
  });

/** A project that has the compiler. */
const typedProject = (files: Readonly<Record<string, string>>) => {
  const here = devProject(files);
  mkdirSync(join(here.path, 'node_modules'));
  symlinkSync(
    join(PROJECT_ROOT, 'node_modules', 'typescript'),
    join(here.path, 'node_modules', 'typescript'),
  );
  return here;
};

describe('tallystick dev, with types', () => {
  it('shows type errors, and reloads all the same', async () => {
    await using here = typedProject({
      'modules/counter.ts': counter('1'),
      'tsconfig.json': tsconfig(['types']),
      'types/seats.ts': 'export const seats: number = 1;',
    });
    await using dev = startDev(here.path, ['--nats-port', '0', './modules/counter.ts']);
    await dev.next('ready');
    await waitFor('the first check', () => dev.events.some(({ event }) => event === 'types'));
    here.write('types/seats.ts', "export const seats: number = 'many';");
    here.write('modules/counter.ts', counter('2'));
    await dev.next('reloaded');
    const { problems } = await dev.next('types', ({ problems: { length } }) => length > 0);
    assert.deepEqual(
      problems.map(({ file, line, column, code }) => ({ file, line, column, code })),
      [{ file: 'types/seats.ts', line: 1, column: 14, code: 'TS2322' }],
    );
    assert.deepEqual(await here.shown(), { sum: 0, code: 2 });
  });

  it('tells a syntax error once: by the build, or by the check if no build reads the file', async () => {
    const good = counter('1');
    const bad = good.replace('state: { sum: 0 },', 'state: { sum: 0 },,');
    await using here = typedProject({
      'modules/counter.ts': bad,
      'tsconfig.json': tsconfig(['modules', 'other.ts']),
      'other.ts': 'export const seats = ;',
    });
    await using dev = startDev(here.path);
    assert.match((await dev.next('broken')).error.message, /^modules\/counter\.ts:8:21: /);
    const { problems } = await dev.next('types');
    assert.deepEqual(
      problems.map(({ file, code }) => ({ file, code })),
      [{ file: 'other.ts', code: 'TS1109' }],
    );
    here.write('other.ts', 'export const seats = 1;');
    here.write('modules/counter.ts', good);
    await dev.next('loaded');
    // The project lacks the package, so the types of the module cannot be good.
    const { problems: left } = await dev.next('types', ({ problems: [first] }) => first?.code === 'TS2307');
    assert.deepEqual([...new Set(left.map(({ file }) => file))], ['modules/counter.ts']);
  });

  it('shows a problem of the settings that has no place', async () => {
    await using here = typedProject({
      'modules/counter.ts': counter('1'),
      'tsconfig.json': tsconfig(['nowhere']),
    });
    await using dev = startDev(here.path);
    const { problems } = await dev.next('types');
    assert.deepEqual(
      problems.map(({ file, code }) => ({ file, code })),
      [{ file: 'tsconfig.json', code: 'TS18003' }],
    );
  });
});
