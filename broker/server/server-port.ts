import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { checkPort } from '../../system/processes/free-port.js';
import { dataDirOwner } from '../../system/processes/owner.js';
import { type PortHolder, programOf } from '../../system/processes/port-holder.js';

/** The configuration of an embedded server in its data directory. */
export const SERVER_CONFIG = 'server/nats-server.conf';

/** Ends the command line of an embedded server. The path may have spaces. */
const STARTED_WITH = new RegExp(` -c (/.+)/${SERVER_CONFIG.replace('.', '\\.')}$`);

/**
 * Names the process on a port. If it is the server of a broker, it names the broker: that is what you started, and
 * what you can stop. A stopped server starts again.
 */
const holderText = ({ pid, command }: PortHolder): string => {
  const dataDir = STARTED_WITH.exec(command)?.[1];
  const broker = dataDir === undefined ? undefined : dataDirOwner(dataDir);
  if (broker === undefined) return `${programOf(command)} (pid ${pid})`;
  return `the broker with pid ${broker.pid}, whose data directory is ${dataDir}`;
};

/** Whether an embedded server may listen there. See {@link checkPort}. */
export const checkServerPort = (host: string, port: number): TaskEither<Fault, void> =>
  checkPort(host, port, holderText);
