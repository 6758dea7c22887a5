import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { DEFAULT_DATA_DIR, DEFAULT_NATS_PORT } from '../../schemas/config.js';
import type { Fault } from '../../schemas/errors.js';
import { type Colour, inColour, wantsColour } from '../../text/colour.js';
import { asTyped } from '../output/typed-program.js';
import { printable } from '../../text/printable.js';
import type { Diagnosis } from '../doctor/diagnosis.js';
import { checkCage } from '../doctor/check-cage.js';
import { checkBroker } from '../doctor/check-broker.js';
import { checkTlsFiles } from '../doctor/check-certificate.js';
import { checkClock } from '../doctor/check-clock.js';
import { checkDisk } from '../doctor/check-disk.js';
import { checkMemory, checkNode, checkOpenFiles } from '../doctor/check-machine.js';
import { checkNats, checkServer } from '../doctor/check-programs.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { configOf } from './start-command.js';
import { print, printJson, verbatim } from '../output/output.js';
import { runCommand, withExamples } from '../output/run-command.js';

interface Options {
  readonly data: string;
  readonly natsPort?: string;
  readonly durability: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly json?: boolean;
}

const MARKS: Readonly<Record<Diagnosis['state'], readonly [string, Colour]>> = {
  ok: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  problem: ['PROBLEM', 'boldRed'],
};

const STATE_WIDTH = 9;
const NAME_WIDTH = 16;

const textOf = ({ name, state, found, advice }: Diagnosis, isColoured: boolean): string => {
  const [mark, colour] = MARKS[state];
  const head = inColour(isColoured, colour, mark.padEnd(STATE_WIDTH));
  const indent = `\n${' '.repeat(STATE_WIDTH + NAME_WIDTH)}`;
  const lines = (text: string): string => text.split('\n').map(printable).join(indent);
  return `${head}${name.padEnd(NAME_WIDTH)}${lines(asTyped(found))}${advice === undefined ? '' : `${indent}→ ${lines(asTyped(advice))}`}`;
};

const summaryOf = (problems: number, warnings: number): string => {
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
  return problems + warnings === 0
    ? 'everything is ready'
    : `${count(problems, 'problem')}, ${count(warnings, 'warning')}`;
};

const doctor =
  ({ data, natsPort, durability, tlsCert, tlsKey, json }: Options): TaskEither<Fault, ExitCode> =>
  async (): Promise<Either<Fault, ExitCode>> => {
    const dataDir = resolve(data);
    // Without the environment: the server of this data directory is meant, whichever server NATS_URL names.
    const config = configOf({ data, durability, shipped: true, ...(natsPort && { natsPort }) }, {});
    if (isLeft(config)) return config;
    const openFiles = checkOpenFiles();
    const checks: readonly Diagnosis[] = [
      checkNode(),
      checkMemory(),
      ...(openFiles === undefined ? [] : [openFiles]),
      checkClock(dataDir),
      ...(await checkCage()),
      await checkServer(),
      await checkNats(),
      ...checkDisk(dataDir, config.right.durability),
      ...(tlsCert === undefined ? [] : [checkTlsFiles(tlsCert, tlsKey)]),
      ...(await checkBroker(dataDir, config.right.natsPort)),
    ];
    const count = (state: Diagnosis['state']): number => checks.filter((each) => each.state === state).length;
    const [problems, warnings] = [count('problem'), count('warning')];
    if (json === true) printJson({ ok: problems === 0, problems, warnings, checks });
    else {
      const isColoured = wantsColour(process.stdout.isTTY === true, process.env);
      for (const check of checks) print(verbatim(textOf(check, isColoured)));
      print(`\n${summaryOf(problems, warnings)}`);
    }
    return right(problems === 0 ? EXIT.done : EXIT.no);
  };

export const addDoctor = (program: Command): void => {
  const command = program
    .command('doctor')
    .description(
      'check what a broker needs on this machine, and the broker that runs; exit code 1 if there is a problem',
    )
    .option('--data <dir>', 'data directory', `./${DEFAULT_DATA_DIR}`)
    .option('--nats-port <port>', `port of the embedded server (default: ${DEFAULT_NATS_PORT})`)
    .option('--durability <level>', 'the level that the disk must keep: fsync or os', 'fsync')
    .option('--tls-cert <file>', 'check this certificate for --listen and --http-listen too, PEM')
    .option('--tls-key <file>', 'with --tls-cert: its key, PEM')
    .option('--json', 'print one JSON object')
    .action((options: Options) => runCommand(doctor(options)));
  withExamples(command, [
    'tallystick doctor',
    'tallystick doctor --data /var/lib/tallystick --json',
    'tallystick doctor --durability os --nats-port 4223',
    'tallystick doctor --tls-cert broker.pem --tls-key broker.key',
  ]);
};
