import type { Command } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { askedAsyncApi } from '../../http/asyncapi/asked-asyncapi.js';
import { ask } from '../../link/request-broker.js';
import type { Fault } from '../../schemas/errors.js';
import { packageVersion } from '../../system/files/package-root.js';
import type { CommandTarget } from '../connect/command-target.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import type { ExitCode } from '../output/exit.js';
import { printJson } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';

const asyncApi = (options: CommandTarget): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      askedAsyncApi((subject, body = {}) => ask(nc, subject, body), packageVersion()),
      TE.map((document) => {
        printJson(document);
        return done;
      }),
    ),
  );

export const addAsyncApi = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('asyncapi')
      .description('print the subjects that clients of this broker use over NATS, as AsyncAPI 3.0'),
  ).action((options: CommandTarget) => runCommand(asyncApi(options)));
  withExamples(command, ['tallystick asyncapi', 'tallystick asyncapi > asyncapi.json']);
};
