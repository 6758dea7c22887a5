import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { GUEST_TEXT } from '../../schemas/guest.js';
import { type BrokerStatus, OPS } from '../../schemas/operate.js';
import { checkServerPort } from '../../broker/server/server-port.js';
import { dataDirOwner } from '../../system/processes/owner.js';
import { withConnection } from '../connect/connect.js';
import { ask } from '../../link/request-broker.js';
import { checkCertificateEnd } from './check-certificate.js';
import { type Diagnosis, asOk, asProblem, asWarning } from './diagnosis.js';

/** Where the embedded server listens. */
const HOST = '127.0.0.1';
/** The states in which a module does its work, or will soon. */
const WORKING: ReadonlySet<string> = new Set(['loading', 'loaded', 'reloading']);

const moduleChecks = ({ modules }: BrokerStatus): readonly Diagnosis[] =>
  modules.map(({ name, version, state, reason }) => {
    const found = `${name} ${version} is ${state}${reason === null ? '' : `: ${reason}`}`;
    if (WORKING.has(state)) return asOk('module', found);
    return state === 'crashed'
      ? asProblem(
          'module',
          found,
          `see \`tallystick module info ${name}\`, mend it, then \`tallystick module reload ${name}\``,
        )
      : asWarning(
          'module',
          found,
          `load it with \`tallystick module load\`, or forget it with \`tallystick module remove ${name}\``,
        );
  });

const logChecks = ({ log, losses }: BrokerStatus): readonly Diagnosis[] => [
  log.refusal === null
    ? asOk('log', `${log.records} records, takes commands`)
    : asProblem('log', `takes no new command: ${log.refusal}`, 'make room on the disk, or raise --max-bytes'),
  ...losses.map(({ code, message, dir }) =>
    asWarning(
      'log',
      `${code}: ${message}`,
      `read docs/guides/operate.md, "When the log lost records"; then remove ${dir}`,
    ),
  ),
];

/** The broker of a data directory, as it describes itself. */
const running = async (data: string, pid: number): Promise<readonly Diagnosis[]> => {
  const status = await withConnection({ data }, (nc) => ask<BrokerStatus>(nc, OPS.status))();
  if (isLeft(status))
    return [
      asProblem(
        'broker',
        `pid ${pid} has ${data}, and does not answer: ${status.left.message}`,
        'wait if it has just started; else read its output, stop it, and start it again',
      ),
    ];
  const { server, durability, guest, certificateEnds } = status.right;
  const broker = asOk(
    'broker',
    `pid ${pid} at ${server.url}, nats-server ${server.version}, durability ${durability}`,
  );
  const guests = guest === undefined ? [] : [asOk('guest', `${guest}: ${GUEST_TEXT[guest]}`)];
  const certificate = typeof certificateEnds === 'string' ? [checkCertificateEnd(certificateEnds)] : [];
  return [broker, ...guests, ...certificate, ...logChecks(status.right), ...moduleChecks(status.right)];
};

/** The broker of that data directory if one runs; else whether one could take its port. */
export const checkBroker = async (data: string, port: number): Promise<readonly Diagnosis[]> => {
  const owner = dataDirOwner(data);
  if (owner !== undefined) return running(data, owner.pid);
  const free = await checkServerPort(HOST, port)();
  return [
    asOk('broker', `none runs in ${data}`),
    isRight(free)
      ? asOk('port', port === 0 ? 'any free one' : `${port} is free`)
      : asProblem(
          'port',
          free.left.message,
          `start with another port: \`tallystick start --nats-port ${port + 1}\``,
        ),
  ];
};
