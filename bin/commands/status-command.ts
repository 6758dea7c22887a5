import type { Command } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { GUEST_TEXT } from '../../schemas/guest.js';
import { type BrokerStatus, OPS } from '../../schemas/operate.js';
import { formatBytes } from '../../text/bytes.js';
import type { CommandTarget, FoundTarget } from '../connect/command-target.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import type { ExitCode } from '../output/exit.js';
import { auditStatusText } from '../text/audit-text.js';
import { accountsTable } from '../text/account-table.js';
import { modulesTable } from '../text/module-table.js';
import { print, printJson } from '../output/output.js';
import { ask } from '../../link/request-broker.js';
import { done, runCommand, withExamples } from '../output/run-command.js';

interface Options extends CommandTarget {
  readonly json?: boolean;
}

const shareOf = (bytes: number, max: number): string =>
  max > 0 ? ` of ${formatBytes(max)} (${((100 * bytes) / max).toFixed(1)} %)` : '';

/** One line for each layer: the name of the first line is `cage`. */
const cageLines = ({ mode, layers }: BrokerStatus['cage']): readonly (readonly [string, string])[] => [
  ['cage', mode],
  ...layers.map(
    ({ layer, holds, detail }) =>
      ['', `${layer.padEnd(9)}${holds ? 'holds' : 'MISSING'}: ${detail}`] as const,
  ),
];

export const formatStatus = ({ server, log, ...status }: BrokerStatus): string => {
  const { embedded, version, url } = server;
  const facts: readonly (readonly [string, string])[] = [
    ['server', `nats-server ${version}, ${embedded ? 'embedded' : 'elsewhere'}, ${url}`],
    ['broker', `pid ${status.pid}, ${status.dataDir}, durability ${status.durability}`],
    [
      'log',
      `${log.records} records, ${formatBytes(log.bytes)}${shareOf(log.bytes, log.maxBytes)}, sequences ${log.firstSeq} to ${log.lastSeq}`,
    ],
    // A broker of an older version does not tell these.
    ...(status.guest === undefined
      ? []
      : [['guest', `${status.guest}: ${GUEST_TEXT[status.guest]}`] as const]),
    ...(typeof status.listen === 'string'
      ? [['listen', `${status.listen}, for clients with a token`] as const]
      : []),
    ...(typeof status.http === 'string' ? [['http', status.http] as const] : []),
    ...(typeof status.httpListen === 'string'
      ? [['https', `${status.httpListen}, for clients with a token`] as const]
      : []),
    ...(typeof status.traces === 'string' ? [['traces', `to ${status.traces}`] as const] : []),
    ['agents', `${status.agents}`],
    ['open', `${status.conversationsOpen} conversations`],
    ...(status.audit === undefined ? [] : [['audit', auditStatusText(status.audit)] as const]),
  ];
  const losses = status.losses.map(
    ({ at, code, message, dir }) => ['lost', `${at} ${code}: ${message}; kept in ${dir}`] as const,
  );
  const full =
    log.refusal === null ? [] : [['full', `the broker takes no new command: ${log.refusal}`] as const];
  const dropped = Object.entries(status.callsDropped ?? {}).map(
    ([account, calls]) => ['dropped', `${calls} calls of closed connections of ${account}`] as const,
  );
  const lines = [...facts, ...cageLines(status.cage), ...dropped, ...full, ...losses].map(
    ([name, value]) => `${name.padEnd(8)}${value}`,
  );
  const accounts = accountsTable({ ...status, log });
  return [
    ...lines,
    '',
    modulesTable(status.modules),
    ...(accounts.length === 0 ? [] : ['', ...accounts]),
  ].join('\n');
};

/** A command never uses or passes over a context silently. */
const contextLines = ({ context, passedOver, url }: FoundTarget): readonly string[] => [
  ...(context === undefined ? [] : [`context ${context}, ${url}`]),
  ...(passedOver === undefined
    ? []
    : [
        `context ${passedOver} is not used: this directory has a data directory. Use --context ${passedOver}`,
      ]),
];

const status = (options: Options): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc, target) =>
    pipe(
      ask<BrokerStatus>(nc, OPS.status),
      TE.map((found) => {
        const { context } = target;
        if (options.json === true) printJson(context === undefined ? found : { ...found, context });
        else print([...contextLines(target), formatStatus(found)].join('\n'));
        return done;
      }),
    ),
  );

export const addStatus = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('status')
      .description('print the state of server, log and modules, and count agents and open conversations'),
  ).action((options: Options) => runCommand(status(options)));
  withExamples(command, [
    'tallystick status',
    'tallystick status --json',
    'tallystick status --data /var/lib/tallystick',
  ]);
};
