import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseIdentity } from '../../schemas/identity.js';
import { HEADER } from '../../schemas/headers.js';
import { jsonOrText } from '../../schemas/json.js';
import type { StoredMessage } from '../../schemas/record.js';
import { readLog } from '../../journal/read/reader.js';
import type { Durability } from '../../schemas/log.js';
import { counting } from '../fixtures/counting.js';
import { type BrokerOptions, startBroker, type TestBroker } from './broker.js';
import { type Exit, follow } from './children.js';
import { showOnFailure } from './failure-log.js';
import { collectLines } from './lines.js';
import { connectOperator } from './log-checks.js';
import { writeModule } from './module-dir.js';
import { waitFor } from './wait-for.js';

const PROGRAM = join(import.meta.dirname, '..', 'fixtures', 'producing.js');

export interface Producing {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  /** It has ended, and all that it said is in `lines`. */
  readonly exited: Promise<Exit>;
  /** The numbers that lines of one kind are about. */
  readonly numbers: (kind: 'accepted' | 'stored' | 'refused') => readonly number[];
}

export interface ProducingOptions {
  /** No file that it writes may grow above that: a full disk, as far as the program can tell. */
  readonly maxFileKb?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `test/fixtures/producing.ts`. */
export const startProducing = (
  url: string,
  name: string,
  outbox: string,
  first: number,
  count: number,
  window: number,
  { maxFileKb, env }: ProducingOptions = {},
): Producing => {
  const args = [process.execPath, PROGRAM, url, name, outbox, String(first), String(count), String(window)];
  // bash, since what a block is differs between shells.
  const [command = '', ...rest] =
    maxFileKb === undefined ? args : ['bash', '-c', `ulimit -f ${maxFileKb}; exec "$@"`, 'bash', ...args];
  const child = spawn(command, rest, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = collectLines(child.stdout);
  const words = (): string => lines.filter((line) => !/^(?:accepted|stored) /.test(line)).join('\n');
  showOnFailure(`producing ${name} from ${first}`, words);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // What it said last may still be in the pipe when it has ended.
  const exited = follow(child).then((exit) => closed.then(() => exit));
  exited.catch(() => undefined);
  return {
    child,
    lines,
    exited,
    numbers: (kind) =>
      lines.filter((line) => line.startsWith(`${kind} `)).map((line) => Number(line.split(' ')[1])),
  };
};

export interface Counted {
  readonly i: number;
  readonly seq: number;
  readonly producer: string;
  readonly epoch: number;
  readonly n: number;
}

const toCounted = (message: StoredMessage): Counted => {
  const id = parseIdentity(message.header(HEADER.id) ?? '');
  if (id === undefined) throw new Error(`${message.seq} has no identity`);
  return { i: (jsonOrText(message.data) as { i: number }).i, seq: message.seq, ...id };
};

/** What the log has of the numbers that programs sent, in its order. */
export const readCounted = async (dataDir: string): Promise<readonly Counted[]> => {
  // The server may be about to come back.
  const nc = await waitFor('a connection', () => connectOperator(dataDir));
  try {
    const all: Counted[] = [];
    const filters = ['cmd.counting.count.a.*'];
    for await (const message of readLog(nc, { filters })) all.push(toCounted(message));
    return all;
  } finally {
    await nc.close();
  }
};

/** Whether numbers of each epoch are 1, 2, 3 …; the first that is not. */
export const gapIn = (records: readonly Counted[]): Counted | undefined => {
  const last = new Map<string, number>();
  return records.find(({ producer, epoch, n }) => {
    const key = `${producer}.${epoch}`;
    const isNext = n === (last.get(key) ?? 0) + 1;
    last.set(key, n);
    return !isNext;
  });
};

/** Starts a broker that has the module which counts, and no other; it is in a directory of its own below `dir`. */
export const startCounting = async (
  dir: string,
  durability: Durability,
  options: Pick<BrokerOptions, 'dataDir' | 'env'> = {},
): Promise<TestBroker> => {
  const module = await writeModule(join(dir, counting.name), counting.name, counting);
  const args = ['--no-shipped', '--durability', durability, '--module', module];
  return startBroker({ ...options, args });
};
