import { readFileSync } from 'node:fs';
import { dial } from '../link/dial.js';
import { seedIn } from '../link/token-file.js';
import { authenticatorOf } from '../link/nkey.js';
import { traceSettings } from '../schemas/trace-settings.js';
import type { TracesAssignment, TracesNews } from '../schemas/traces-process.js';
import { ownPackage } from '../system/files/own-package.js';
import { TraceExport } from './trace-export.js';

const REDIAL_MS = 200;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/**
 * The process that exports traces. The broker starts it if the environment names a collector. It reads the log as the
 * operator does, so the broker and its calls do nothing for traces.
 */
const main = async (): Promise<void> => {
  const { natsUrl, seedPath, dataDir } = JSON.parse(process.argv[2] ?? '{}') as TracesAssignment;
  const { settings } = traceSettings(process.env);
  if (settings === undefined) return;
  const nc = await dial({
    servers: natsUrl,
    name: 'traces',
    redialMs: REDIAL_MS,
    waitOnFirstConnect: true,
    authenticator: authenticatorOf(seedIn(readFileSync(seedPath, 'utf8')) ?? ''),
  });
  const tell = (news: TracesNews): void => void process.send?.(news, () => undefined);
  const { version } = ownPackage();
  const traces = new TraceExport({ nc, settings, dataDir, version, say, tell });
  traces.start();
  // The broker stops, or is gone.
  process.once('disconnect', () => {
    void traces.close().then(async () => {
      await nc.close();
      process.exit(0);
    });
  });
};

// A Ctrl-C goes to all processes of the terminal, and the broker decides when this one ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
await main();
