import { relative } from 'node:path';
import { DEFAULT_DATA_DIR, DEFAULT_NATS_PORT } from '../../schemas/config.js';
import type { Ready } from '../../schemas/operate.js';
import { asTyped } from '../output/typed-program.js';
import { shellQuote } from './shell-quote.js';

const isDefaultServer = (url: string): boolean => {
  const { hostname, port } = new URL(url);
  const isLocal = hostname === '127.0.0.1' || hostname === 'localhost';
  return isLocal && (port === '' || port === `${DEFAULT_NATS_PORT}`);
};

/**
 * The text of `start` when the broker is ready: processes, address, and commands that work as printed. The first ones
 * need this package alone.
 */
export const readyText = (
  { nats, dataDir, durability, server, guest, listen, http, httpListen, modules }: Ready,
  typed?: () => string,
): string => {
  const at = isDefaultServer(nats) ? '' : ` -s ${nats}`;
  const from = relative(process.cwd(), dataDir) === DEFAULT_DATA_DIR ? '' : ` --data ${shellQuote(dataDir)}`;
  const running = modules.map(
    ({ name, version, pid }) => `${name} ${version} (${pid === null ? 'no process' : `pid ${pid}`})`,
  );
  const hasAccounts = modules.some(({ name }) => name === 'accounts');
  const deposit = `  tallystick call accounts.deposit '{"amount":5}' --agent alice${from}`;
  const byNats = [
    'If you have the command line of NATS:',
    `  nats${at} req call.accounts.deposit.alice '{"amount":5}'`,
  ];
  const text = [
    `Tallystick is ready at ${nats} (nats-server ${server.version}, ${server.embedded ? 'embedded' : 'elsewhere'})`,
    ...(listen === null ? [] : [`  listen      ${listen}, for clients with a token`]),
    ...(http === null ? [] : [`  http        ${http}`]),
    ...(httpListen === null ? [] : [`  https       ${httpListen}, for clients with a token`]),
    `  data        ${dataDir}`,
    `  durability  ${durability}`,
    `  modules     ${running.length === 0 ? 'none' : running.join(', ')}`,
    '',
    'Try:',
    ...(hasAccounts ? [deposit] : []),
    `  tallystick replay history --last 20${from}`,
    `  tallystick status${from}`,
    ...(hasAccounts && guest === 'call' ? byNats : []),
  ];
  return asTyped(text.join('\n'), typed);
};
