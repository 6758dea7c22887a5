import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startDevLines } from '../support/dev-lines.js';
import { startDev } from '../support/dev-program.js';
import { processesMentioning } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';
import { counter, devProject } from './dev-project.js';

/** Kills the server of the broker, which the broker reports and starts again. */
const killServer = (dir: string): void => {
  const [server] = processesMentioning(dir).filter(({ command }) => /nats-server/.test(command));
  assert.ok(server !== undefined);
  process.kill(server.pid, 'SIGKILL');
};

const FILE = 'modules/counter.ts';
const TIME = '\\d\\d:\\d\\d:\\d\\d';
const line = (text: string): RegExp => new RegExp(`^${TIME} ${text}$`);

describe('tallystick dev, for a person', () => {
  it('prints one line for each event, or more for an error with its place', async () => {
    await using here = devProject({ [FILE]: counter("'one'") });
    await using dev = startDevLines(here.path);
    await dev.shows(line('Tallystick is ready at nats://127\\.0\\.0\\.1:\\d+'));
    await dev.shows(/^ {2}data {6}.*\.tallystick \(durability os\)$/);
    await dev.shows(/^ {2}modules {3}counter 1\.0\.0$/);
    await dev.shows(/^ {2}watching {2}modules\/counter\.ts$/);
    await here.call('counter.add', { by: 2 });
    await dev.shows(line('counter\\.add a \\{"by":2\\} → null [\\d.]+ ms'));
    await here.call('counter.add', { by: -2 });
    await dev.shows(line('counter\\.add a \\{"by":-2\\} → NEGATIVE it only counts up [\\d.]+ ms'));
    here.write(FILE, counter("'two'", { head: "console.log('it is loaded');" }));
    await dev.shows(line('counter \\| it is loaded'));
    await dev.shows(line('reloaded counter in \\d+ ms'));
    here.write(FILE, counter("'three'").replace('state: { sum: 0 },', 'state: { sum: 0 },,'));
    await dev.shows(line('modules/counter\\.ts is broken: counter continues with its last good code'));
    assert.match(
      await dev.shows(/MODULE_BUILD_FAILED/),
      /^ {2}MODULE_BUILD_FAILED: modules\/counter\.ts:8:21: /,
    );
    await dev.shows(/^ {2}8 \| .*,,$/);
    await dev.shows(/^ {4}\| +\^$/);
    rmSync(join(here.path, FILE));
    await dev.shows(line('modules/counter\\.ts is gone: counter continues with its last good code'));
    killServer(here.path);
    await dev.shows(line('\\[server\\] .*'));
  });
});

describe('tallystick dev --quiet', () => {
  it('prints no calls that succeed and no output of the broker, and all that goes wrong', async () => {
    await using here = devProject({ [FILE]: counter("'one'") });
    await using dev = startDevLines(here.path, ['--quiet']);
    await dev.shows(line('Tallystick is ready at .*'));
    await here.call('counter.add', { by: 2 });
    await here.call('counter.add', { by: -2 });
    await dev.shows(line('counter\\.add a \\{"by":-2\\} → NEGATIVE it only counts up [\\d.]+ ms'));
    here.write(FILE, counter("'two'"));
    await dev.shows(line('reloaded counter in \\d+ ms'));
    // Results come in the order of the log: a line of the first call would be there.
    assert.deepEqual(
      dev.lines.filter((each) => /"by":2|^[\d:]+ \[/.test(each)),
      [],
    );
  });

  it('leaves the same out with --json', async () => {
    await using here = devProject({ [FILE]: counter("'one'") });
    await using dev = startDev(here.path, ['--nats-port', '0', '--quiet']);
    await dev.next('ready');
    await here.call('counter.add', { by: 2 });
    killServer(here.path);
    // The reload comes when the broker has its server again, and has reported that.
    here.write(FILE, counter("'two'"));
    await dev.next('reloaded');
    await here.call('counter.add', { by: -2 });
    assert.equal((await dev.next('call')).status, 'rejected');
    assert.deepEqual(
      dev.events.filter(({ event }) => event === 'broker'),
      [],
    );
  });
});

describe('tallystick dev --inspect', () => {
  it('lets a debugger attach to the module, also after a reload', async () => {
    await using here = devProject({
      [FILE]: counter("'one'"),
      'modules/other.ts': counter("'other'", { name: 'other' }),
    });
    await using dev = startDev(here.path, ['--nats-port', '0', '--inspect', 'counter=0']);
    const LISTENS = /^Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)\//;
    const printed = () =>
      dev.events.flatMap((event) => (event.event === 'output' && LISTENS.test(event.text) ? [event] : []));
    /** What Node tells a debugger that asks at the port which the n-th process of the module printed. */
    const target = async (n: number): Promise<string> => {
      const { module, text } = await waitFor(`port ${n}`, () => printed()[n]);
      assert.equal(module, 'counter');
      const url = `http://127.0.0.1:${LISTENS.exec(text)?.[1]}/json/list`;
      const [found] = (await (await fetch(url)).json()) as { title: string }[];
      return found?.title ?? '';
    };
    await dev.next('ready');
    assert.match(await target(0), /host-main\.js/);
    here.write(FILE, counter("'two'"));
    await dev.next('reloaded');
    assert.match(await target(1), /host-main\.js/);
    assert.deepEqual(await here.shown(), { sum: 0, code: 'two' });
  });
});
