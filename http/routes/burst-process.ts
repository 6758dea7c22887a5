import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { BurstNews, BurstReport, BurstRequest } from '../../schemas/burst.js';
import { isErrorCode } from '../../schemas/error-table.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { boundedLines } from '../../system/lines/bounded-lines.js';
import { type Reaper, startReaper } from '../../system/processes/reaper.js';
import { objectInLine } from '../../schemas/json.js';

/** The command line, which has the test. This process only starts it. */
const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'tallystick.js');
/** A burst that is late for longer is ended. */
const MOST_MS = 10 * 60_000;
const MOST_OUTPUT = 64 * 1024;
const MOST_PICTURE = 4 * 1024 * 1024;

export interface BurstEnd {
  readonly report: BurstReport;
  /** SVG. */
  readonly picture: string;
}

export interface BurstProcess {
  readonly ended: Promise<E.Either<Fault, BurstEnd>>;
  /** Ends it, and all that it has started, at once. */
  readonly cancel: () => void;
}

const argsOf = (request: BurstRequest, dir: string): readonly string[] => [
  'burst',
  '--json',
  '--moments',
  ...(request.kind === 'calls' ? ['--calls'] : []),
  ...['--rate', `${request.rate}`, '--seconds', `${request.seconds}`],
  ...['--baseline', `${request.baseline}`, '--baseline-seconds', `${request.baselineSeconds}`],
  ...['--durability', request.durability, '--agents', '1000', '--max-recovery', '60'],
  ...(request.kill === undefined ? [] : ['--kill', request.kill]),
  ...['--keep', join(dir, 'run'), '--picture', join(dir, 'burst.svg')],
];

const faultIn = (line: string): Fault | undefined => {
  const error = objectInLine(line)?.error as
    | { readonly code?: unknown; readonly message?: unknown }
    | undefined;
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') return undefined;
  return fault(isErrorCode(error.code) ? error.code : 'INTERNAL', error.message);
};

/** Others on this machine go first, where the system allows it. */
const runBehindOthers = (pid: number | undefined): void => {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already.
  }
};

/** Runs the burst-loss test on a separate broker, with files that go when it ends. */
export const startBurst = (request: BurstRequest, onNews: (news: BurstNews) => void): BurstProcess => {
  const dir = mkdtempSync(join(tmpdir(), 'tallystick-burst-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  // The group and what it starts end with this process, also if it is killed.
  const reaper: Reaper = startReaper();
  const child = spawn(process.execPath, [PROGRAM, ...argsOf(request, dir)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  reaper.track(child, { group: true });
  runBehindOthers(child.pid);
  let output = '';
  let said = '';
  let problem: Fault | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(0, MOST_OUTPUT);
  });
  boundedLines(child.stderr, (line) => {
    const news = objectInLine(line);
    problem = faultIn(line) ?? problem;
    if (news !== undefined && ('stage' in news || 'fault' in news || 'moment' in news))
      onNews(news as unknown as BurstNews);
    else if (line.trim() !== '') said = line;
  });
  const cancel = (): void => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  };
  const timer = setTimeout(cancel, MOST_MS);
  const ended = new Promise<E.Either<Fault, BurstEnd>>((resolve) => {
    const end = (why: string): void => {
      const report = objectInLine(output.trim()) as BurstReport | undefined;
      if (report === undefined)
        return resolve(
          E.left(problem ?? fault('INTERNAL', `the burst ended with ${why}: ${said.slice(0, 500)}`)),
        );
      try {
        const picture = readFileSync(join(dir, 'burst.svg'), 'utf8');
        resolve(E.right({ report, picture: picture.length > MOST_PICTURE ? '' : picture }));
      } catch (error) {
        resolve(E.left(fault('INTERNAL', `the picture cannot be read: ${(error as Error).message}`)));
      }
    };
    child.once('error', (error) => end(error.message));
    child.once('close', (code, signal) => end(`${code ?? signal}`));
  }).finally(() => {
    clearTimeout(timer);
    reaper.close();
    process.off('exit', remove);
    remove();
  });
  return { ended, cancel };
};
