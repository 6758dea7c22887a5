import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect } from 'nats';
import { packageRoot } from '../../system/files/package-root.js';
import { type Reaper, startReaper } from '../../system/processes/reaper.js';
import { formatNumber } from '../../text/numbers.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import { timesIn } from '../bench/histogram.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { ALL, sampleMemory } from './memory-samples.js';
import { callAtRate } from './paced-calls.js';

const SECONDS = 7_200;
const PER_SECOND = 100;
const AGENTS = 5_000;
const WINDOWS = 12;
/** The window that the last one is compared with: caches fill in the first. */
const BASE = 1;
/** Between two looks at the memory, and so many looks a window at least. */
const LOOK_MS = 5_000;
const LOOKS = 4;
const MIB = 1024 * 1024;

/** Whether each command of the log has one result, and each event and state follows from it. */
const verify = async (dataDir: string, reaper: Reaper): Promise<boolean> => {
  const program = join(packageRoot(), 'dist', 'bin', 'tallystick.js');
  const child = spawn(process.execPath, [program, 'replay', 'verify', '--data', dataDir], {
    stdio: 'ignore',
  });
  reaper.track(child);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
};

/** Calls at a steady rate for hours. */
export const soak: Scenario = {
  name: 'soak',
  summary: 'calls at a steady rate for two hours: errors, times, and the memory of each process',
  takes: ['seconds', 'agents', 'rate'],
  run: async ({
    seconds = SECONDS,
    agents: [agents = AGENTS] = [],
    rate: perSecond = PER_SECOND,
    say,
  }): Promise<Report> => {
    const reaper = startReaper();
    try {
      await using dir = await makeBenchDir();
      await using broker = await startBenchBroker(dir.path, reaper, 'fsync');
      const { server, broker: pid, hosts } = await brokerProcesses(dir.path);
      const pids = { server, broker: pid, host: hosts.accounts ?? 0 };
      const nc = await connect({ servers: broker.url });
      say(`${formatNumber(perSecond)} calls a second for ${formatNumber(seconds)} s, ${WINDOWS} windows`);
      const windowMs = (seconds * 1_000) / WINDOWS;
      const memory = sampleMemory(pids, Math.min(LOOK_MS, windowMs / LOOKS));
      const begun = performance.now();
      const progress = setInterval(
        () => say(`${Math.round((performance.now() - begun) / 1_000)} of ${seconds} s`),
        60_000,
      );
      const called = await callAtRate(nc, {
        perSecond,
        seconds,
        windows: WINDOWS,
        agents,
        onFailure: (text) => say(`failed: ${text}`),
      });
      clearInterval(progress);
      memory.stop();
      await nc.close();
      say('verifying the log');
      if (!(await verify(dir.path, reaper))) throw new Error('the log has findings');
      const roles = [...Object.keys(pids), ALL];
      const windows = called.map(({ sent, failed, times }, i) => ({
        sent,
        failed,
        times: timesIn(times),
        bytes: Object.fromEntries(
          roles.map((role) => [role, memory.median(role, i * windowMs, (i + 1) * windowMs)]),
        ),
      }));
      const last = windows.at(-1)?.bytes ?? {};
      const growth = Object.fromEntries(
        roles.map((role) => [role, (last[role] ?? Number.NaN) / (windows[BASE]?.bytes[role] ?? 1) - 1]),
      );
      const [sent, failed] = [called, called].map((all, i) =>
        all.reduce((sum, each) => sum + (i === 0 ? each.sent : each.failed), 0),
      ) as [number, number];
      return {
        data: { soak: { seconds, perSecond, agents, sent, failed, growth, windows } },
        tables: [
          {
            title: `${formatNumber(sent)} calls in ${formatNumber(seconds)} s, durability fsync, ${formatNumber(agents)} agents: ${formatNumber(failed)} failed; the log is verified`,
            heads: ['window', 'calls', 'failed', 'p50 ms', 'p99 ms', ...roles.map((role) => `${role} MiB`)],
            rows: windows.map(({ sent, failed, times, bytes }, i) => [
              `${i + 1}`,
              formatNumber(sent),
              formatNumber(failed),
              (times.p50Us / 1_000).toFixed(2),
              (times.p99Us / 1_000).toFixed(2),
              ...roles.map((role) => ((bytes[role] ?? Number.NaN) / MIB).toFixed(1)),
            ]),
          },
          {
            title: 'memory of the last window, compared with the second',
            heads: roles,
            rows: [roles.map((role) => `${((growth[role] ?? Number.NaN) * 100).toFixed(1)} %`)],
          },
        ],
      };
    } finally {
      await reaper.close();
    }
  },
};
