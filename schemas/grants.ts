import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';

/** What a principal may ask for. The server and the broker refuse everything else. */
export const METHODS = ['call', 'send', 'schedule', 'read', 'listen', 'produce', 'operate'] as const;
export type Method = (typeof METHODS)[number];

/** The roles of `operate`, from the smallest to the largest. Each may do what the roles before it may. */
export const OPERATE_ROLES = ['reader', 'keeper', 'admin'] as const;
export type OperateRole = (typeof OPERATE_ROLES)[number];

/**
 * One permission: a method, and a pattern of what it is for. In the text form `call accounts.deposit.shop-*` the
 * pattern has the parts `accounts`, `deposit` and `shop-*`. A `*` stands for any characters within one part. Parts
 * that the pattern leaves out may be anything, or missing.
 */
export interface Grant {
  readonly method: Method;
  readonly parts: readonly string[];
}

/** What a principal asks for: `parts` are module, action and agent; or module, event and agent; or one name. */
export interface AskedRight {
  readonly method: Method;
  readonly parts: readonly string[];
}

/** The most parts of a method's pattern, and their names in messages. */
const FORMS: Readonly<Record<Method, { readonly most: number; readonly form: string }>> = {
  call: { most: 3, form: 'MODULE.ACTION.AGENT' },
  send: { most: 3, form: 'MODULE.ACTION.AGENT' },
  schedule: { most: 3, form: 'MODULE.ACTION.AGENT' },
  read: { most: 2, form: 'MODULE.AGENT' },
  listen: { most: 3, form: 'MODULE.EVENT.AGENT' },
  produce: { most: 1, form: 'PRODUCER' },
  operate: { most: 1, form: OPERATE_ROLES.join(', ') },
};

const PART = /^[A-Za-z0-9_*-]{1,64}$/;

const isMethod = (text: string): text is Method => (METHODS as readonly string[]).includes(text);
const isRole = (text: string | undefined): text is OperateRole =>
  (OPERATE_ROLES as readonly (string | undefined)[]).includes(text);

const invalid = (text: string, why: string): Either<Fault, never> =>
  left(fault('GRANT_INVALID', `${JSON.stringify(text.slice(0, 256))} is no grant: ${why}`));

/** Reads `call accounts.deposit.shop-*`. GRANT_INVALID tells what a grant looks like. */
export const parseGrant = (text: string): Either<Fault, Grant> => {
  const [method = '', pattern, ...more] = text.trim().split(/\s+/);
  if (!isMethod(method)) return invalid(text, `it begins with one of ${METHODS.join(', ')}`);
  const { most, form } = FORMS[method];
  if (pattern === undefined || more.length > 0) {
    return invalid(text, `one pattern follows ${method}, such as ${form}; quote the grant for your shell`);
  }
  const parts = pattern.split('.');
  if (method === 'operate') {
    return isRole(pattern) ? right({ method, parts }) : invalid(text, `the roles of operate are ${form}`);
  }
  if (parts.length > most || !parts.every((part) => PART.test(part))) {
    return invalid(text, `the pattern is ${form} or the begin of it, of A-Z a-z 0-9 _ - and *`);
  }
  // The server alone judges what is heard, and it matches whole parts: of a part it would let all through.
  if (method === 'listen' && parts.some((part) => part !== '*' && part.includes('*'))) {
    return invalid(text, 'in a pattern of listen, * stands for a whole part; name the part, or write *');
  }
  return right({ method, parts });
};

/** The same for a list. The fault is that of the first one that is no grant. */
export const parseGrants = (texts: readonly string[]): Either<Fault, readonly Grant[]> => {
  const grants: Grant[] = [];
  for (const text of texts) {
    const parsed = parseGrant(text);
    if (isLeft(parsed)) return parsed;
    grants.push(parsed.right);
  }
  return right(grants);
};

export const grantText = ({ method, parts }: Grant): string => `${method} ${parts.join('.')}`;

/** Whether a pattern with `*` covers a part. It takes the first place for each piece, so it never goes back. */
export const coversPart = (pattern: string, part: string): boolean => {
  const pieces = pattern.split('*');
  const [first = ''] = pieces;
  if (pieces.length === 1) return pattern === part;
  const last = pieces.at(-1) ?? '';
  if (part.length < first.length + last.length) return false;
  if (!part.startsWith(first) || !part.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = part.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= part.length - last.length;
};

const covers = (grant: Grant, asked: AskedRight): boolean => {
  // A role reads the log, which has all states.
  if (grant.method === 'operate' && asked.method === 'read') return true;
  if (grant.method !== asked.method) return false;
  if (grant.method === 'operate') {
    const [has, wants] = [grant, asked].map(({ parts }) => OPERATE_ROLES.indexOf(parts[0] as OperateRole));
    return (wants ?? -1) >= 0 && (has ?? -1) >= (wants ?? -1);
  }
  return (
    grant.parts.length <= asked.parts.length &&
    grant.parts.every((pattern, i) => coversPart(pattern, asked.parts[i] ?? ''))
  );
};

/** Whether one of the grants covers the request. */
export const allows = (grants: readonly Grant[], asked: AskedRight): boolean =>
  grants.some((grant) => covers(grant, asked));

/** The grant that a request needs, as text that is safe in a command. */
const missingText = ({ method, parts }: AskedRight): string =>
  grantText({ method, parts: parts.slice(0, 3) }).slice(0, 256);

/** The refusal of a request of a guest that may not make it: it names the command that makes a token. */
export const missingToken = (asked: AskedRight): Fault => {
  const missing = missingText(asked);
  const create = `tallystick token create NAME --allow '${missing}'`;
  return fault(
    'NOT_ALLOWED',
    `this connection has no token, and guests of this broker may not \`${missing}\`. An operator makes one: ${create}`,
  );
};

/**
 * The refusal of a request that no grant covers: it names the missing grant, and the command that adds it.
 * `who` is for the sentence, `name` for the command.
 */
export const missingGrant = (who: string, name: string, asked: AskedRight): Fault => {
  const missing = missingText(asked);
  const add = `tallystick token change ${name} --add '${missing}'`;
  return fault('NOT_ALLOWED', `${who} has no grant for \`${missing}\`. An operator adds it: ${add}`);
};
