import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { processState } from '../../../system/processes/process-identity.js';
import { startReaper } from '../../../system/processes/reaper.js';
import { compiled, runScript } from './node-script.js';
import { until } from './until.js';

const isGone = (pid: number): boolean => processState(pid).kind === 'gone';

/** A broker in small: starts a reaper and three children, prints all pids, and lives on. */
const PARENT = `
  import { spawn } from 'node:child_process';
  import { startReaper } from '${compiled('system/processes/reaper.js')}';
  const reaper = startReaper();
  const start = (command, args, options) => {
    const child = spawn(command, args, { stdio: 'ignore', ...options });
    reaper.track(child, options);
    return child.pid;
  };
  const busy = start(process.execPath, ['-e', 'for (;;);']);
  const sleeping = start('sleep', ['1000']);
  const stopped = start('sleep', ['1000']);
  process.kill(stopped, 'SIGSTOP');
  const group = start('sh', ['-c', 'sleep 1000 & echo $! >&3; wait'], { detached: true, group: true, stdio: ['ignore', 'ignore', 'ignore', 1] });
  console.log(JSON.stringify({ reaper: reaper.pid, busy, sleeping, stopped, group }));
  setInterval(() => undefined, 1000);
`;

const sleeper = (): ChildProcess & { readonly pid: number } => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  assert.ok(child.pid);
  return child as ChildProcess & { readonly pid: number };
};

describe('reaper', () => {
  test('kills a busy, a sleeping and a stopped child and a whole group when the broker is killed with -9', async () => {
    const parent = runScript(PARENT);
    const lines = [await parent.nextLine(), await parent.nextLine()];
    const pids = JSON.parse(lines.find((line) => line.startsWith('{')) ?? '') as Record<string, number>;
    const all = { ...pids, grandchild: Number(lines.find((line) => !line.startsWith('{'))) };
    for (const [name, pid] of Object.entries(all)) assert.equal(processState(pid).kind, 'alive', name);
    await parent.kill();
    for (const [name, pid] of Object.entries(all)) await until(`${name} (${pid}) is gone`, () => isGone(pid));
  });

  test('lives through the signals that a terminal sends and still ends with its pipe', async () => {
    const reaper = startReaper();
    const child = sleeper();
    reaper.track(child);
    const pid = reaper.pid ?? 0;
    // sh ignores them only from its first line on; the catch mask of proc(5) shows when it has got there.
    await until('the reaper ignores SIGTERM', () => ignores(pid, 15));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    assert.equal(processState(pid).kind, 'alive');
    assert.equal(reaper.pid, pid);
    const gone = once(child, 'exit');
    reaper.close();
    reaper.close();
    assert.deepEqual(await gone, [null, 'SIGKILL']);
    await until('the reaper is gone', () => isGone(pid));
  });

  test('does not touch a child that was forgotten, and forgets one that has exited', async () => {
    const reaper = startReaper();
    const [kept, tracked, exited] = [sleeper(), sleeper(), sleeper()];
    for (const child of [kept, tracked, exited]) reaper.track(child);
    reaper.forget(kept.pid);
    exited.kill('SIGKILL');
    await once(exited, 'exit');
    const gone = once(tracked, 'exit');
    reaper.close();
    await gone;
    assert.equal(processState(kept.pid).kind, 'alive');
    kept.kill('SIGKILL');
  });

  test('is started anew when it dies, and then still knows what it was told', async () => {
    using reaper = startReaper();
    const child = sleeper();
    reaper.track(child);
    const first = reaper.pid ?? 0;
    for (let died = first; died !== 0; died = died === first ? (reaper.pid ?? 0) : 0) {
      process.kill(died, 'SIGKILL');
      await until('another reaper runs', () => reaper.pid !== undefined && reaper.pid !== died);
    }
    const gone = once(child, 'exit');
    reaper.close();
    await gone;
  });

  test('refuses pids that would name more than one process by mistake', () => {
    using reaper = startReaper();
    for (const pid of [0, -1, 1.5, Number.NaN]) assert.throws(() => reaper.trackPid(pid), RangeError);
  });
});

/** Whether a process ignores a signal: the mask SigIgn of /proc, or, where there is none, of ps. */
const ignores = (pid: number, signal: number): boolean => {
  if (process.platform !== 'linux') return processState(pid).kind === 'alive';
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n;
};
