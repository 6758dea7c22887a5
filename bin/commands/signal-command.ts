import type { Command } from 'commander';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { requestSignal } from '../../link/request-signal.js';
import type { TargetOptions } from '../../link/target.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { isName } from '../../schemas/names.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { waiting, withDefault } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  /** How long to wait for the reply, milliseconds. */
  readonly timeout: number;
}

/** Why the command is not sent; undefined: it can be. */
const problemOf = (names: readonly string[], payload: string): Fault | undefined => {
  const odd = names.find((name) => !isName(name));
  if (odd !== undefined)
    return fault('USAGE', `${JSON.stringify(odd.slice(0, 64))} is not 1 to 64 of A-Z a-z 0-9 _ -`);
  try {
    if (payload !== '') JSON.parse(payload);
    return undefined;
  } catch (error) {
    return fault('USAGE', `the data are not JSON and were not sent: ${(error as Error).message}`);
  }
};

const signal =
  (
    module: string,
    agent: string,
    name: string,
    payload: string,
    options: Options,
  ): TaskEither<Fault, ExitCode> =>
  async () => {
    const problem = problemOf([module, agent, name], payload);
    if (problem !== undefined) return left(problem);
    return withConnection(options, (nc) => async () => {
      const stored = await requestSignal(nc, { module, name, agent }, payload, options.timeout)();
      if (isLeft(stored)) return stored;
      if (options.json === true) printJson(stored.right);
      else print(`signal ${name} is stored at ${stored.right.seq}`);
      return right(done);
    })();
  };

export const addSignal = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('signal')
      .argument('<module>', 'the module')
      .argument('<agent>', 'the agent whose handler waits, or will wait')
      .argument('<name>', 'the name of the signal')
      .argument('[json]', 'data of the signal')
      .description('send a signal to an agent; a handler awaits it with awaitSignal')
      .addOption(
        withDefault('--timeout <duration>', 'how long to wait for the reply', waiting('--timeout'), '5s'),
      ),
  ).action((module: string, agent: string, name: string, json: string | undefined, options: Options) =>
    runCommand(signal(module, agent, name, json ?? '', options)),
  );
  withExamples(command, [
    'tallystick signal orders order-17 paid \'{"by":"card"}\'',
    'tallystick signal orders order-17 approved',
  ]);
};
