import type { Principal, TokenChange } from '../../schemas/access-requests.js';
import { parseInstant } from '../../schemas/instant.js';
import { limitTexts } from '../../schemas/principal-limits.js';
import { asTyped } from '../output/typed-program.js';
import { fittedTable } from './fitted-table.js';
import { shellQuote } from './shell-quote.js';

const until = ({ expires }: Principal, now = Date.now()): string => {
  if (expires === null) return 'you revoke it';
  return (parseInstant(expires) ?? 0) > now ? expires : `${expires} (over)`;
};

/** All principals, one in a line. */
export const principalsTable = (principals: readonly Principal[]): string =>
  fittedTable(
    ['NAME', 'UNTIL', 'BY', 'MAY', 'LIMITS'],
    principals.map((each) => [
      each.name,
      until(each),
      each.by,
      each.allow.join(', '),
      limitTexts(each.limits ?? {}).join(', ') || '-',
    ]),
    { keys: ['NAME'], spare: ['BY'] },
  );

/** A line for each text, with a name before the first. */
const named = (name: string, texts: readonly string[]): readonly string[] =>
  texts.map((text, i) => (i === 0 ? name : '').padEnd(9) + text);

export const principalText = (principal: Principal): string =>
  [
    `name     ${principal.name}`,
    `sender   ${principal.account}`,
    `made     ${principal.created}`,
    `by       ${principal.by}`,
    `until    ${until(principal)}`,
    `key      ${principal.publicKey}`,
    ...named('may', principal.allow),
    ...named('limits', limitTexts(principal.limits ?? {})),
  ].join('\n');

/** An action and an agent that the grants allow to call. Undefined: they name no single action. */
const exampleCall = (allow: readonly string[]): readonly [action: string, agent: string] | undefined => {
  for (const grant of allow) {
    const [, module, action, agent = 'alice'] = /^call ([^.*]+)\.([^.*]+)(?:\.(.+))?$/.exec(grant) ?? [];
    if (module !== undefined)
      return [`${module}.${action}`, agent === '*' ? 'alice' : agent.replaceAll('*', '1')];
  }
  return undefined;
};

/** The text after a token was made: the file, and a command to try it with. Most actions take an agent. */
export const newTokenText = ({ principal }: TokenChange, path: string, url: string): string => {
  const example = exampleCall(principal.allow);
  const file = shellQuote(path);
  const ours =
    example === undefined
      ? []
      : [
          asTyped(
            `  tallystick call ${example[0]} '{}' --agent ${example[1]} --token ${file} --server ${url}`,
          ),
        ];
  const subject = example === undefined ? "'$SRV.PING'" : `call.${example.join('.')}`;
  return [
    `${principal.name} may ${principal.allow.join(', ')}, until ${until(principal)}`,
    `The token is in ${path}. Its holder is ${principal.name}: keep it secret.`,
    '',
    'Try:',
    ...ours,
    asTyped(`  tallystick token show ${principal.name}`),
    'If you have the command line of NATS:',
    `  nats --server ${url} --nkey ${file} req ${subject} '{}'`,
  ].join('\n');
};
