import { join } from 'node:path';
import type { Durability } from '../../schemas/log.js';
import { type Program, startProgram } from '../../system/processes/program.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { plainAction, writeBenchModule } from '../bench/bench-module.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { startBenchServer } from '../bench/bench-server.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import type { PidsByRole } from '../bench/processor-time.js';
import { peerLeftOut } from '../peers/left-out.js';
import { installNpmPackages } from '../peers/npm-packages.js';
import type { ChannelWay } from './channels/channel.js';
import { makeSharedFile } from './channels/shared-memory.js';
import type { SenderQuestions } from './sender-main.js';

/** A way between two processes, ready to be measured. */
export interface MeasuredWay extends AsyncDisposable {
  readonly name: string;
  readonly sender: Program<SenderQuestions>;
  readonly pids: PidsByRole<string>;
  /** Divides the numbers of messages of a run: what is slow gets fewer. */
  readonly slower: number;
  /** Bytes of the largest message that it takes. */
  readonly largest: number;
}

interface Setting {
  readonly reaper: Reaper;
  readonly dir: string;
  readonly say: (line: string) => void;
}

const KOFFI = { koffi: '3.3.4' };

const ended = async (all: readonly AsyncDisposable[]): Promise<void> => {
  for (const each of all.toReversed()) await each[Symbol.asyncDispose]();
};

const overWay = async (name: string, way: ChannelWay, { reaper }: Setting, under: AsyncDisposable[] = []) => {
  const sender = startProgram<SenderQuestions>(new URL('./sender-main.js', import.meta.url), way, reaper);
  return {
    name,
    sender,
    slower: 1,
    largest: Number.MAX_SAFE_INTEGER,
    pids: await sender.ask('pids', null),
    [Symbol.asyncDispose]: () => ended([...under, sender]),
  };
};

const overServer = async (
  name: string,
  durability: Durability,
  wayAt: (url: string) => ChannelWay,
  setting: Setting,
) => {
  const server = await startBenchServer(durability, setting.say);
  const contender = await overWay(name, wayAt(server.url), setting, [server]);
  return { ...contender, pids: { ...contender.pids, server: server.pid() as number } };
};

/** Bytes of the largest input that a manifest may allow. */
const LARGEST_INPUT = 983_040;

const IPC_MODULE = {
  manifest: {
    name: 'ipc',
    version: '1.0.0',
    description: 'Takes a text and keeps nothing of it.',
    actions: { take: plainAction({ text: { type: 'string' } }) },
    events: {},
    limits: { payloadBytes: LARGEST_INPUT },
    start: { entry: './index.js' },
  },
  code: `
const take = () => ({ _tag: 'Right', right: { data: {}, events: [] } });
export default { manifest, initial: {}, actions: { take: { decide: take } }, evolve: {} };
`,
};

/** A call is a command and its result in the log, and runs in the process of a module. */
const overCalls = async (durability: Durability, { reaper, dir }: Setting): Promise<MeasuredWay> => {
  const data = await makeBenchDir();
  const more = ['--no-shipped', '--module', writeBenchModule(dir, IPC_MODULE)];
  const broker = await startBenchBroker(data.path, reaper, durability, more);
  const { hosts, ...own } = await brokerProcesses(data.path);
  const main = new URL('./call-sender-main.js', import.meta.url);
  const sender = startProgram<SenderQuestions>(main, { url: broker.url }, reaper);
  return {
    name: `call, ${durability}`,
    sender,
    slower: 10,
    largest: LARGEST_INPUT,
    pids: { ...(await sender.ask('pids', null)), receiver: hosts.ipc as number, ...own },
    [Symbol.asyncDispose]: () => ended([data, broker, sender]),
  };
};

const STARTS: readonly ((setting: Setting) => Promise<MeasuredWay>)[] = [
  (setting) => overWay('stdin and stdout', { via: 'pipe' }, setting),
  (setting) => overWay('Unix socket', { via: 'unix socket', path: join(setting.dir, 'socket') }, setting),
  async (setting) => {
    const path = join(setting.dir, 'shared');
    makeSharedFile(path);
    const koffi = await installNpmPackages('koffi', KOFFI, setting.say);
    return overWay('shared memory', { via: 'shared memory', path, koffi }, setting);
  },
  (setting) => overServer('core NATS', 'os', (url) => ({ via: 'core NATS', url }), setting),
  ...(['os', 'fsync'] as const).map(
    (durability) => (setting: Setting) =>
      overServer(
        `journal, ${durability}`,
        durability,
        (url) => ({ via: 'journal', url, durability }),
        setting,
      ),
  ),
  ...(['os', 'fsync'] as const).map((durability) => (setting: Setting) => overCalls(durability, setting)),
];

/** Starts all of them. What this machine does not have is left out, and said. */
export const startContenders = async (setting: Setting): Promise<readonly MeasuredWay[]> => {
  const found: MeasuredWay[] = [];
  for (const start of STARTS) {
    try {
      found.push(await start(setting));
    } catch (error) {
      setting.say(peerLeftOut('one of the ways', error));
    }
  }
  return found;
};
