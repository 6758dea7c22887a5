import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { formatBytes } from '../text/bytes.js';
import { type Fault, fault } from './errors.js';
import { MAX_JSON_DEPTH } from './json-depth.js';
import { parseBytes } from './quantity.js';

/** How a limit is written: a plain number, one a second, bytes, bytes a second, or a part of the log. */
type LimitForm = 'count' | 'a second' | 'bytes' | 'bytes a second' | 'percent';

interface LimitRow {
  readonly form: LimitForm;
  readonly most: number;
  /** What the number limits, as a refusal says it behind the number. */
  readonly of: string;
  readonly example: string;
}

const MIB = 1024 * 1024;
const MOST_CONNECTIONS = 1_024;

/** The limits that a grant can set, by name. */
const ROWS = {
  rate: { form: 'a second', most: 1e9, of: 'requests a second', example: '200/s' },
  bytes: { form: 'bytes a second', most: 1e12, of: 'bytes of requests a second', example: '1MiB/s' },
  inflight: { form: 'count', most: 1e6, of: 'requests without a reply', example: '64' },
  open: { form: 'count', most: 1e7, of: 'commands without a result', example: '1000' },
  log: { form: 'percent', most: 100, of: 'percent of the limit of the log', example: '10%' },
  payload: { form: 'bytes', most: MIB, of: 'bytes of a payload', example: '64KiB' },
  depth: { form: 'count', most: MAX_JSON_DEPTH, of: 'levels of a payload', example: '64' },
  schedules: { form: 'count', most: 1e5, of: 'schedules', example: '20' },
  producers: { form: 'count', most: 1e5, of: 'open producers', example: '10' },
  connections: { form: 'count', most: MOST_CONNECTIONS, of: 'connections', example: '4' },
  subscriptions: { form: 'count', most: 1e5, of: 'subscriptions of a connection', example: '100' },
} as const satisfies Readonly<Record<string, LimitRow>>;

export type LimitName = keyof typeof ROWS;
export const LIMIT_NAMES = Object.keys(ROWS) as readonly LimitName[];

/** Behind the number of a limit, in messages: `200 requests a second`. */
export const limitOf = (name: LimitName): string => ROWS[name].of;

const bounded = (name: LimitName) =>
  Type.Optional(
    Type.Integer({ minimum: 1, maximum: ROWS[name].most, description: `The most ${ROWS[name].of}.` }),
  );

export const PrincipalLimitsSchema = Type.Object(
  {
    rate: bounded('rate'),
    bytes: bounded('bytes'),
    inflight: bounded('inflight'),
    open: bounded('open'),
    log: bounded('log'),
    payload: bounded('payload'),
    depth: bounded('depth'),
    schedules: bounded('schedules'),
    producers: bounded('producers'),
    connections: bounded('connections'),
    subscriptions: bounded('subscriptions'),
  },
  {
    additionalProperties: false,
    description: 'Limits that are set. Those that are left out have their defaults.',
  },
);

/** The limits that an operator set for a principal. Those that are left out have their defaults. */
export type PrincipalLimits = Readonly<Static<typeof PrincipalLimitsSchema>>;

const invalid = (text: string, why: string): Either<Fault, never> =>
  left(fault('LIMIT_INVALID', `${JSON.stringify(text.slice(0, 256))} is no limit: ${why}`));

const isLimitName = (name: string): name is LimitName => Object.hasOwn(ROWS, name);

const isASecond = (form: LimitForm): boolean => form === 'a second' || form === 'bytes a second';
const isBytes = (form: LimitForm): boolean => form === 'bytes' || form === 'bytes a second';

/** One change of a limit; `value` null: the default again. */
export interface LimitChange {
  readonly name: LimitName;
  readonly value: number | null;
}

/** Reads `rate=200/s`, `payload=64KiB` or `inflight=default`. LIMIT_INVALID tells what a limit looks like. */
export const parseLimit = (text: string): Either<Fault, LimitChange> => {
  const [, name = '', written = ''] = /^\s*([a-z]+)\s*=\s*(.*?)\s*$/.exec(text.slice(0, 256)) ?? [];
  if (!isLimitName(name)) return invalid(text, `it is NAME=VALUE, with one of ${LIMIT_NAMES.join(', ')}`);
  if (written === 'default') return right({ name, value: null });
  const { form, most, example } = ROWS[name];
  const such = `write ${name}=${example}, or ${name}=default`;
  const digits = written.replace(isASecond(form) ? /\/s$/ : form === 'percent' ? /%$/ : /$^/, '');
  const value = isBytes(form)
    ? parseBytes(digits)
    : right(/^\d{1,12}$/.test(digits) ? Number(digits) : Number.NaN);
  if (isLeft(value) || !Number.isSafeInteger(value.right)) return invalid(text, such);
  if (value.right < 1 || value.right > most) return invalid(text, `it is 1 to ${most}; ${such}`);
  return right({ name, value: value.right });
};

/** Reads a list of such texts. The fault is that of the first one that is no limit. */
export const parseLimits = (texts: readonly string[]): Either<Fault, readonly LimitChange[]> => {
  const changes: LimitChange[] = [];
  for (const text of texts) {
    const parsed = parseLimit(text);
    if (isLeft(parsed)) return parsed;
    changes.push(parsed.right);
  }
  return right(changes);
};

/** The limits after some changes, in one order: the log has the same bytes for the same limits. */
export const changedLimits = (limits: PrincipalLimits, changes: readonly LimitChange[]): PrincipalLimits => {
  const values = new Map<LimitName, number | null>(Object.entries(limits) as [LimitName, number][]);
  for (const { name, value } of changes) values.set(name, value);
  return Object.fromEntries(
    LIMIT_NAMES.flatMap((name) => {
      const value = values.get(name) ?? null;
      return value === null ? [] : [[name, value]];
    }),
  );
};

/** As people write it: `rate=200/s`. */
export const limitText = (name: LimitName, value: number): string => {
  const { form } = ROWS[name];
  const number = isBytes(form) ? formatBytes(value).replace(' ', '') : String(value);
  const unit = isASecond(form) ? '/s' : form === 'percent' ? '%' : '';
  return `${name}=${isBytes(form) && parsesBack(number, value) ? number : value}${unit}`;
};

/** A size with one decimal may be another one. */
const parsesBack = (text: string, value: number): boolean => {
  const parsed = parseBytes(text);
  return !isLeft(parsed) && parsed.right === value;
};

export const limitTexts = (limits: PrincipalLimits): readonly string[] =>
  (Object.entries(limits) as [LimitName, number][]).map(([name, value]) => limitText(name, value));
