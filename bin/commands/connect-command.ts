import { resolve } from 'node:path';
import type { Command } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { openTargetConnection } from '../../link/open-target.js';
import { findTarget } from '../../link/target.js';
import { formatTable } from '../../text/table.js';
import {
  type BrokerContext,
  contextNamed,
  type Contexts,
  readContexts,
  writeContexts,
} from '../connect/contexts.js';
import { name as nameOption } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';

interface JsonOption {
  readonly json?: boolean;
}

interface AddOptions extends JsonOption {
  readonly server: string;
  readonly token?: string;
  readonly creds?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly replace?: boolean;
  readonly check: boolean;
}

const show = (json: boolean | undefined, value: object, text: string): ExitCode => {
  if (json === true) printJson(value);
  else print(text);
  return done;
};

/** Changes the file, and prints what it has then. */
const changed = (
  change: (contexts: Contexts) => E.Either<Fault, Contexts>,
  json: boolean | undefined,
  text: string,
): E.Either<Fault, ExitCode> =>
  pipe(
    readContexts(),
    E.chain(change),
    E.chain((contexts) => E.map(() => contexts)(writeContexts(contexts))),
    E.map((contexts) => show(json, contexts, text)),
  );

/** Paths of files, which commands in other directories must find. */
const FILES = ['token', 'creds', 'tlsCa', 'tlsCert', 'tlsKey'] as const;

const contextOf = (name: string, options: AddOptions): BrokerContext => ({
  name,
  server: options.server,
  ...Object.fromEntries(
    FILES.flatMap((file) => (options[file] === undefined ? [] : [[file, resolve(options[file])]])),
  ),
});

/** Connects once, so that a context that is stored works. */
const works = ({ name: _, ...place }: BrokerContext): TE.TaskEither<Fault, void> =>
  pipe(
    TE.fromEither(findTarget(place, {})),
    TE.chain((target) => openTargetConnection(target)),
    TE.chain((nc) => TE.fromTask(() => nc.close())),
  );

const add = (name: string, options: AddOptions): TE.TaskEither<Fault, ExitCode> => {
  const context = contextOf(name, options);
  const put = ({ contexts }: Contexts): E.Either<Fault, Contexts> => {
    const others = contexts.filter((each) => each.name !== name);
    return others.length < contexts.length && options.replace !== true
      ? E.left(fault('USAGE', `there is a context ${name}: add --replace, or choose another name`))
      : E.right({ current: name, contexts: [...others, context] });
  };
  const text = `${name} is stored, and commands use it. \`tallystick connect off\` ends that`;
  return pipe(
    TE.fromEither(E.chain(put)(readContexts())),
    TE.chain(() => (options.check ? works(context) : TE.right(undefined))),
    TE.chainEitherK(() => changed(put, options.json, text)),
  );
};

const table = ({ current, contexts }: Contexts): string =>
  contexts.length === 0
    ? 'there is no context; `tallystick connect add NAME --server URL` stores one'
    : formatTable(
        ['', 'NAME', 'SERVER', 'TOKEN'],
        contexts.map(({ name, server, token, creds }) => [
          name === current ? '*' : '',
          name,
          server,
          token ?? creds ?? '',
        ]),
      );

export const addConnect = (program: Command): void => {
  const group = program
    .command('connect')
    .description('store brokers on other machines as contexts, and choose the one that commands use');
  withExamples(group, [
    'tallystick connect add prod --server tls://broker.example:4443 --token prod.token --tls-ca ca.pem',
    'tallystick connect list',
    'tallystick connect off',
  ]);

  const adding = group
    .command('add')
    .argument('<name>', 'name of the context', nameOption('NAME'))
    .description('connect to a broker, store how as a context, and use it from now on')
    .requiredOption('--server <url>', 'address of the broker, such as tls://broker.example:4443')
    .option('--token <file>', 'token of `token create`')
    .option('--creds <file>', 'credential: a .creds file or a file with an nkey seed')
    .option('--tls-ca <file>', 'authority of the broker, PEM (default: those of the system)')
    .option('--tls-cert <file>', 'certificate of the client, PEM')
    .option('--tls-key <file>', 'key of that certificate, PEM')
    .option('--replace', 'replace a context of this name')
    .option('--no-check', 'do not connect before')
    .option('--json', 'print JSON')
    .action((name: string, options: AddOptions) => runCommand(add(name, options)));
  withExamples(adding, [
    'tallystick connect add prod --server tls://broker.example:4443 --token prod.token --tls-ca ca.pem',
    'tallystick connect add lab --server nats://10.0.0.7:4222 --token lab.token --no-check',
  ]);

  const listing = group
    .command('list')
    .description('list all contexts; a star marks the one that commands use')
    .option('--json', 'print JSON')
    .action(({ json }: JsonOption) =>
      runCommand(TE.fromEither(E.map((all: Contexts) => show(json, all, table(all)))(readContexts()))),
    );
  withExamples(listing, ['tallystick connect list', 'tallystick connect list --json']);

  const using = group
    .command('use')
    .argument('<name>', 'name of the context', nameOption('NAME'))
    .description('have commands use a context, where no option, variable or data directory names a broker')
    .option('--json', 'print JSON')
    .action((name: string, { json }: JsonOption) =>
      runCommand(
        TE.fromEither(
          changed(
            (all) => E.map(() => ({ ...all, current: name }))(contextNamed(all, name)),
            json,
            `commands use ${name}`,
          ),
        ),
      ),
    );
  withExamples(using, ['tallystick connect use prod', 'tallystick connect use prod --json']);

  const leaving = group
    .command('off')
    .description('have commands use no context')
    .option('--json', 'print JSON')
    .action(({ json }: JsonOption) =>
      runCommand(
        TE.fromEither(changed((all) => E.right({ ...all, current: null }), json, 'commands use no context')),
      ),
    );
  withExamples(leaving, ['tallystick connect off', 'tallystick connect off --json']);

  const removing = group
    .command('remove')
    .argument('<name>', 'name of the context', nameOption('NAME'))
    .description('remove a context; its files stay')
    .option('--json', 'print JSON')
    .action((name: string, { json }: JsonOption) =>
      runCommand(
        TE.fromEither(
          changed(
            (all) =>
              E.map(() => ({
                current: all.current === name ? null : all.current,
                contexts: all.contexts.filter((each) => each.name !== name),
              }))(contextNamed(all, name)),
            json,
            `${name} is removed`,
          ),
        ),
      ),
    );
  withExamples(removing, ['tallystick connect remove lab', 'tallystick connect remove lab --json']);
};
