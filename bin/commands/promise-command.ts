import type { Command } from 'commander';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { requestPromise } from '../../link/request-promise.js';
import type { TargetOptions } from '../../link/target.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { PromiseVerb } from '../../schemas/promise.js';
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

const notJson = (payload: string): Fault | undefined => {
  try {
    if (payload !== '') JSON.parse(payload);
    return undefined;
  } catch (error) {
    return fault('USAGE', `the value is not JSON and was not sent: ${(error as Error).message}`);
  }
};

const end =
  (verb: PromiseVerb, id: string, payload: string, options: Options): TaskEither<Fault, ExitCode> =>
  async () => {
    const problem = verb === 'resolve' ? notJson(payload) : undefined;
    if (problem !== undefined) return left(problem);
    return withConnection(options, (nc) => async () => {
      const ended = await requestPromise(nc, { verb, id }, payload, options.timeout)();
      if (isLeft(ended)) return ended;
      if (options.json === true) printJson(ended.right);
      else print(`the promise is ${verb === 'resolve' ? 'resolved' : 'rejected'}`);
      return right(done);
    })();
  };

const withReply = (command: Command): Command =>
  withTargetOptions(
    command.addOption(
      withDefault('--timeout <duration>', 'how long to wait for the reply', waiting('--timeout'), '5s'),
    ),
  );

export const addPromise = (program: Command): void => {
  const promise = program.command('promise').description('end a promise of a handler, by its id');
  const resolve = withReply(
    promise
      .command('resolve')
      .argument('<id>', 'the id that the handler gave out')
      .argument('[json]', 'the value')
      .description('end a promise with a value'),
  ).action((id: string, json: string | undefined, options: Options) =>
    runCommand(end('resolve', id, json ?? '', options)),
  );
  withExamples(resolve, [`tallystick promise resolve 17-2-${'0f'.repeat(16)} '{"approved":true}'`]);
  const reject = withReply(
    promise
      .command('reject')
      .argument('<id>', 'the id that the handler gave out')
      .argument('[text]', 'why')
      .description('end a promise with a refusal'),
  ).action((id: string, text: string | undefined, options: Options) =>
    runCommand(end('reject', id, text ?? '', options)),
  );
  withExamples(reject, [`tallystick promise reject 17-2-${'0f'.repeat(16)} 'too expensive'`]);
  withExamples(promise, [`tallystick promise resolve 17-2-${'0f'.repeat(16)} 5`]);
};
