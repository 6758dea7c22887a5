import type { Command } from 'commander';
import { isLeft, left } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { ask } from '../../link/request-broker.js';
import type { ConfigChange, ConfigEntry, ConfigList, RevealedConfig } from '../../schemas/config-requests.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { typedConfigValue } from '../../schemas/module-config.js';
import { OPS } from '../../schemas/operate.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { DEFAULT_TIMEOUT_MS, moreTime } from '../connect/slow-request.js';
import { configInput } from '../jobs/config-input.js';
import { waiting, withDefault } from '../options/option-values.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import { asTyped } from '../output/typed-program.js';
import { configChangeText, configTable, configValueText } from '../text/config-text.js';
import { type ShowOptions, showReply } from '../text/show-reply.js';

interface Options extends ShowOptions {
  readonly reveal?: boolean;
  readonly fromFile?: string;
}

/** The key as the broker knows it: it says whether its value may be typed as an argument. */
const entryOf = (nc: NatsConnection, module: string, key: string): TE.TaskEither<Fault, ConfigEntry> =>
  pipe(
    ask<ConfigList>(nc, OPS.configList, { module }),
    TE.chain(({ modules: [found] }) => {
      const keys = found?.keys ?? [];
      const entry = keys.find((each) => each.key === key);
      const has =
        keys.length === 0 ? 'declares no configuration' : `has ${keys.map((each) => each.key).join(', ')}`;
      return entry === undefined
        ? TE.left(
            fault(
              'CONFIG_KEY_UNKNOWN',
              `${module} has no key ${JSON.stringify(key.slice(0, 64))}: it ${has}`,
            ),
          )
        : TE.right(entry);
    }),
  );

const shownValue = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const get = (module: string, key: string, options: Options): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      entryOf(nc, module, key),
      TE.chain((entry) =>
        options.reveal === true && entry.set
          ? pipe(
              ask<RevealedConfig>(nc, OPS.configReveal, { module, key }),
              TE.map(({ value }): ConfigEntry => ({ ...entry, secret: false, value })),
            )
          : TE.right(entry),
      ),
      TE.map((entry) => {
        if (options.json === true) printJson({ module, ...entry });
        else print('value' in entry ? shownValue(entry.value) : configValueText(entry));
        return entry.set || entry.default !== undefined ? done : EXIT.no;
      }),
    ),
  );

const changed = ({ json = false }: Options, verb: 'set' | 'unset'): ((change: ConfigChange) => ExitCode) => {
  return (change) => {
    if (json) printJson(change);
    else print(asTyped(configChangeText(change, verb)));
    return done;
  };
};

const set = (
  module: string,
  key: string,
  typed: string | undefined,
  { timeout = DEFAULT_TIMEOUT_MS, ...options }: Options,
): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const entry = await entryOf(nc, module, key)();
    if (isLeft(entry)) return entry;
    const { secret: isSecret, schema } = entry.right;
    if (schema === null)
      return left(
        fault('CONFIG_KEY_UNKNOWN', `${module} declares no key ${key} any more; unset removes its value`),
      );
    const text = await configInput({
      named: `${module}.${key}`,
      isSecret,
      typed,
      fromFile: options.fromFile,
    })();
    if (isLeft(text)) return text;
    const body = { module, key, value: typedConfigValue(schema, text.right), waitMs: timeout };
    return pipe(
      ask<ConfigChange>(nc, OPS.configSet, body, moreTime({}, timeout).timeout),
      TE.map(changed(options, 'set')),
    )();
  });

const unset = (
  module: string,
  key: string,
  { timeout = DEFAULT_TIMEOUT_MS, ...options }: Options,
): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      ask<ConfigChange>(nc, OPS.configUnset, { module, key, waitMs: timeout }, moreTime({}, timeout).timeout),
      TE.map(changed(options, 'unset')),
    ),
  );

/** A change restarts the module, which first finishes what it handles. */
const slow = (command: Command): Command =>
  withTargetOptions(command).addOption(
    withDefault('--timeout <duration>', 'how long to wait for the broker', waiting('--timeout'), '2m'),
  );

const MODULE = ['<module>', 'the module'] as const;
const KEY = ['<key>', 'a key that its manifest declares'] as const;

export const addConfig = (program: Command): void => {
  const group = program
    .command('config')
    .description('read and change the configuration and the secrets of modules');
  withExamples(group, [
    'tallystick config list',
    'tallystick config set mailer host smtp.example.com',
    'tallystick config set mailer password < password.txt',
  ]);

  const list = withTargetOptions(
    group
      .command('list')
      .argument('[module]', 'the module (default: all modules)')
      .description('list the keys of modules with their values; secrets are hidden'),
  ).action((module: string | undefined, options: Options) =>
    runCommand(
      showReply<ConfigList>(options, OPS.configList, module === undefined ? {} : { module }, (reply) =>
        asTyped(configTable(reply)),
      ),
    ),
  );
  withExamples(list, ['tallystick config list', 'tallystick config list mailer --json']);

  const show = withTargetOptions(
    group
      .command('get')
      .argument(...MODULE)
      .argument(...KEY)
      .description('print the value of a key; a secret is hidden'),
  );
  show.option('--reveal', 'print a secret too; the audit records that');
  show.action((module: string, key: string, options: Options) => runCommand(get(module, key, options)));
  withExamples(show, ['tallystick config get mailer host', 'tallystick config get mailer password --reveal']);

  const put = slow(
    group
      .command('set')
      .argument(...MODULE)
      .argument(...KEY)
      .argument('[value]', 'a text, or JSON; never of a secret (default: asked, or read from standard input)')
      .description('set a key, and have the module run with it'),
  );
  put.option('--from-file <file>', 'file with the value; - is standard input');
  put.action((module: string, key: string, value: string | undefined, options: Options) =>
    runCommand(set(module, key, value, options)),
  );
  withExamples(put, [
    'tallystick config set mailer host smtp.example.com',
    "tallystick config set mailer ports '[25,587]'",
    'tallystick config set mailer password < password.txt',
    'tallystick config set mailer password --from-file password.txt',
  ]);

  const take = slow(
    group
      .command('unset')
      .argument(...MODULE)
      .argument(...KEY)
      .description('remove the value of a key, so that its default holds'),
  );
  take.action((module: string, key: string, options: Options) => runCommand(unset(module, key, options)));
  withExamples(take, ['tallystick config unset mailer host', 'tallystick config unset mailer host --json']);
};
