import type { Command } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { ask } from '../../link/request-broker.js';
import type { Fault } from '../../schemas/errors.js';
import {
  ACCESS,
  type Principal,
  type PrincipalList,
  type TokenChange,
} from '../../schemas/access-requests.js';
import { LIMIT_NAMES } from '../../schemas/principal-limits.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { addressForOthers } from '../jobs/address-for-others.js';
import { withNewToken } from '../jobs/token-file-out.js';
import { duration, repeated } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import { type ShowOptions, showReply } from '../text/show-reply.js';
import { newTokenText, principalsTable, principalText } from '../text/token-text.js';

interface TokenOptions extends ShowOptions {
  readonly allow?: readonly string[];
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly limit?: readonly string[];
  readonly ttl?: number;
  readonly out?: string;
}

/** Makes a key, has the broker take it, and prints where its token is. */
const newToken = (
  name: string,
  options: TokenOptions,
  isReplaced: boolean,
  subject: string,
  body: Readonly<Record<string, unknown>>,
): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc, target) => async () => {
    const path = options.out ?? `${name}.token`;
    const url = await addressForOthers(nc, target.url);
    return pipe(
      withNewToken({ name, url, path, isReplaced }, (publicKey) =>
        ask<TokenChange>(nc, subject, { ...body, name, publicKey }),
      ),
      TE.map((change) => {
        if (options.json === true) printJson({ ...change, file: path, server: url });
        else print(newTokenText(change, path, url));
        return done;
      }),
    )();
  });

const LIMIT = `a limit, such as rate=200/s or rate=default; repeatable: ${LIMIT_NAMES.join(', ')}`;

const NAME = ['<name>', 'name of the principal: 1 to 63 of A-Z a-z 0-9 _ -'] as const;

const addCreate = (group: Command): void => {
  const create = withTargetOptions(
    group
      .command('create')
      .argument(...NAME)
      .description('make a principal with a token, and write the token to a file that only you can read')
      .requiredOption(
        '--allow <grant>',
        'what it may do, such as "call accounts.*"; repeatable: call, send, schedule, read, listen, produce, operate',
        repeated,
      )
      .option('--limit <limit>', LIMIT, repeated)
      .option('--ttl <duration>', 'time until the token ends, such as 1h (default: never)', duration('--ttl'))
      .option('--out <file>', 'file for the token (default: NAME.token)'),
  ).action((name: string, options: TokenOptions) =>
    runCommand(
      newToken(name, options, false, ACCESS.create, {
        allow: options.allow,
        ttlMs: options.ttl ?? null,
        limits: options.limit,
      }),
    ),
  );
  withExamples(create, [
    "tallystick token create ci --allow 'call accounts.*' --ttl 1h",
    "tallystick token create shop --allow 'send orders.place.shop-*' --allow 'listen orders.*'",
    "tallystick token create board --allow 'read accounts.*'",
    "tallystick token create kiosk --allow 'call orders.*' --limit rate=20/s --limit inflight=8",
    "tallystick token create ann --allow 'operate reader' --out ~/ann.token",
  ]);
};

const addChange = (group: Command): void => {
  const change = withTargetOptions(
    group
      .command('change')
      .argument(...NAME)
      .description(
        'add or remove grants of a principal, or set its limits or its end; its token stays the same',
      )
      .option('--add <grant>', 'a grant that it gets; repeatable', repeated)
      .option('--remove <grant>', 'a grant that it loses, as `token show` prints it; repeatable', repeated)
      .option('--limit <limit>', LIMIT, repeated)
      .option('--ttl <duration>', 'time from now until the token ends', duration('--ttl')),
  ).action((name: string, { add, remove, limit, ttl, ...options }: TokenOptions) =>
    runCommand(
      showReply<TokenChange>(
        options,
        ACCESS.change,
        { name, add, remove, ttlMs: ttl, limits: limit },
        ({ principal }) => principalText(principal),
      ),
    ),
  );
  withExamples(change, [
    "tallystick token change ci --add 'call orders.place'",
    "tallystick token change ci --remove 'call accounts.*' --ttl 7d",
    'tallystick token change ci --limit rate=200/s --limit payload=default',
  ]);
};

const addRotate = (group: Command): void => {
  const rotate = withTargetOptions(
    group
      .command('rotate')
      .argument(...NAME)
      .description('replace the token of a principal; connections with the old token are closed')
      .option('--out <file>', 'file for the token, replaced if it exists (default: NAME.token)'),
  ).action((name: string, options: TokenOptions) =>
    runCommand(newToken(name, options, true, ACCESS.rotate, {})),
  );
  withExamples(rotate, ['tallystick token rotate ci', 'tallystick token rotate ci --out ~/ci.token']);
};

export const addToken = (program: Command): void => {
  const group = program
    .command('token')
    .description('give people and programs a token with grants, and take it away again');
  withExamples(group, [
    "tallystick token create ci --allow 'call accounts.*' --ttl 1h",
    'tallystick token list',
    'tallystick token revoke ci',
  ]);
  addCreate(group);

  const list = withTargetOptions(
    group.command('list').description('list all principals with their grants'),
  ).action((options: ShowOptions) =>
    runCommand(
      showReply<PrincipalList>(options, ACCESS.list, {}, ({ principals }) => principalsTable(principals)),
    ),
  );
  withExamples(list, ['tallystick token list', 'tallystick token list --json']);

  const show = withTargetOptions(
    group
      .command('show')
      .argument(...NAME)
      .description('print one principal with its grants'),
  ).action((name: string, options: ShowOptions) =>
    runCommand(showReply<Principal>(options, ACCESS.show, { name }, principalText)),
  );
  withExamples(show, ['tallystick token show ci', 'tallystick token show ci --json']);

  addChange(group);
  addRotate(group);

  const revoke = withTargetOptions(
    group
      .command('revoke')
      .argument(...NAME)
      .description('end a token at once: its connections are closed, and it opens no other'),
  ).action((name: string, options: ShowOptions) =>
    runCommand(showReply<TokenChange>(options, ACCESS.revoke, { name }, () => `${name} is revoked`)),
  );
  withExamples(revoke, ['tallystick token revoke ci', 'tallystick token revoke ci --json']);
};
