import type { Principal, TokenChange } from '../../schemas/access-requests.js';
import { parseInstant } from '../../schemas/instant.js';
import { asTyped } from '../output/typed-program.js';
import { fittedTable } from './fitted-table.js';
import { shellQuote } from './shell-quote.js';

const until = ({ expires }: Principal, now = Date.now()): string => {
  if (expires === null) return 'revoked';
  return (parseInstant(expires) ?? 0) > now ? expires : `${expires} (over)`;
};

/** All principals, one in a line. */
export const principalsTable = (principals: readonly Principal[]): string =>
  fittedTable(
    ['NAME', 'UNTIL', 'BY', 'MAY'],
    principals.map((each) => [each.name, until(each), each.by, each.allow.join(', ')]),
    { keys: ['NAME'], spare: ['BY'] },
  );

export const principalText = (principal: Principal): string =>
  [
    `name     ${principal.name}`,
    `sender   ${principal.account}`,
    `made     ${principal.created}`,
    `by       ${principal.by}`,
    `until    ${until(principal)}`,
    `key      ${principal.publicKey}`,
    ...principal.allow.map((grant, i) => `${i === 0 ? 'may' : ''}`.padEnd(9) + grant),
  ].join('\n');

/** The text after a token was made: the file, and a command that works as printed. */
export const newTokenText = ({ principal }: TokenChange, path: string, url: string): string => {
  const call = principal.allow.find((grant) => grant.startsWith('call '))?.slice('call '.length);
  const subject = call === undefined || call.includes('*') ? "'$SRV.PING'" : `call.${call}`;
  return [
    `${principal.name} may ${principal.allow.join(', ')}, until ${until(principal)}`,
    `The token is in ${path}. Its holder is ${principal.name}: keep it secret.`,
    '',
    'Try:',
    `  nats --server ${url} --nkey ${shellQuote(path)} req ${subject} '{}'`,
    asTyped(`  tallystick token show ${principal.name}`),
  ].join('\n');
};
