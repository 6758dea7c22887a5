import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { Producer } from '../../journal/producer/producer.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { grantText, parseGrants } from '../../schemas/grants.js';
import { isPrincipalName, principalAccount } from '../../schemas/names.js';
import { changedLimits, parseLimits, type PrincipalLimits } from '../../schemas/principal-limits.js';
import {
  ACCESS,
  type ChangeToken,
  ChangeTokenSchema,
  type CreateToken,
  CreateTokenSchema,
  NamedTokenSchema,
  type Principal,
  type PrincipalList,
  type RotateToken,
  RotateTokenSchema,
  type TokenChange,
} from '../../schemas/access-requests.js';
import { compileOnUse } from '../../schemas/validate.js';
import { SerialQueue } from '../../system/async/serial-queue.js';
import { judgeOperator } from '../access/admission.js';
import { type AccessChange, recordCommand, recordResult } from '../access/grant-records.js';
import type { Principals } from '../access/principals.js';
import type { Handler } from '../serving/serve-requests.js';
import type { Listening } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import type { Audit } from '../audit/audit.js';
import { serveOperators } from './serve-operations.js';

export interface AccessContext {
  readonly nc: NatsConnection;
  readonly principals: Principals;
  /** Records the changes in the log. */
  readonly producer: Pick<Producer, 'append'>;
  /** Public keys that no principal may have: those of the broker and the operator. */
  readonly ownKeys: () => ReadonlySet<string>;
  readonly log: (text: string) => void;
}

const checkCreate = compileOnUse<CreateToken>(CreateTokenSchema, 'PAYLOAD_INVALID', 'request');
const checkChange = compileOnUse<ChangeToken>(ChangeTokenSchema, 'PAYLOAD_INVALID', 'request');
const checkRotate = compileOnUse<RotateToken>(RotateTokenSchema, 'PAYLOAD_INVALID', 'request');
const checkNamed = compileOnUse<{ readonly name: string }>(NamedTokenSchema, 'PAYLOAD_INVALID', 'request');

const checkName = (name: string): E.Either<Fault, string> =>
  isPrincipalName(name)
    ? E.right(principalAccount(name))
    : E.left(
        fault(
          'NAME_INVALID',
          `the name ${JSON.stringify(name.slice(0, 64))} is not 1 to 63 of A-Z a-z 0-9 _ -, or begins with _ or -, or is reserved`,
        ),
      );

const checkGrants = (allow: readonly string[]): E.Either<Fault, readonly string[]> =>
  pipe(
    parseGrants(allow),
    E.chain((grants) =>
      grants.length > 0
        ? E.right([...new Set(grants.map(grantText))])
        : E.left(fault('GRANT_INVALID', "a token needs at least one grant, such as 'call accounts.*'")),
    ),
  );

/** Each is an account of the server, and the server reads all accounts again at each change (decision 0069). */
const MOST_PRINCIPALS = 500;

/** No field at all where nothing is set: the file and the log stay as they were before there were limits. */
const withLimits = (
  before: PrincipalLimits,
  texts: readonly string[] = [],
): E.Either<Fault, { readonly limits?: PrincipalLimits }> =>
  pipe(
    parseLimits(texts),
    E.map((changes) => changedLimits(before, changes)),
    E.map((limits) => (Object.keys(limits).length === 0 ? {} : { limits })),
  );

const endOf = (ttlMs: number | null): string | null =>
  ttlMs === null ? null : new Date(Date.now() + ttlMs).toISOString();

/** The requests of operators about principals, one after the other. The server has told who asks. */
export class AccessOperations {
  readonly #queue = new SerialQueue();

  constructor(private readonly context: AccessContext) {}

  /** The handler of a request, `access.<verb>`; `by`: the account that asks. */
  handler(subject: string, by: string): Handler | undefined {
    const all: Readonly<Record<string, Handler>> = {
      [ACCESS.create]: (body) => this.#create(body, by),
      [ACCESS.change]: (body) => this.#change(body, by),
      [ACCESS.rotate]: (body) => this.#rotate(body, by),
      [ACCESS.revoke]: (body) => this.#revoke(body, by),
      [ACCESS.list]: () => TE.right({ principals: this.context.principals.all } satisfies PrincipalList),
      [ACCESS.show]: (body) => TE.fromEither(this.#named(checkNamed(body))),
    };
    const found = Object.hasOwn(all, subject) ? all[subject] : undefined;
    if (found === undefined) return undefined;
    return (body) => () => {
      if (subject === ACCESS.revoke) this.#shutOut(body);
      return this.#queue.run(async () => {
        // An admin's token may have been revoked while its request waited.
        const refused = judgeOperator(by, this.context.principals);
        return refused === undefined ? found(body)() : E.left(refused);
      });
    };
  }

  /** A revocation holds at once, and does not wait for the changes before it. */
  #shutOut(body: unknown): void {
    const asked = checkNamed(body);
    if (E.isRight(asked)) this.context.principals.shutOut(principalAccount(asked.right.name));
  }

  #create(body: unknown, by: string): TE.TaskEither<Fault, TokenChange> {
    const asked = pipe(
      checkCreate(body),
      E.bindTo('asked'),
      E.bind('account', ({ asked }) => checkName(asked.name)),
      E.bind('allow', ({ asked }) => checkGrants(asked.allow)),
      E.bind('limited', ({ asked }) => withLimits({}, asked.limits)),
      E.chainFirst(({ asked }) => this.#checkKey(asked.publicKey)),
      E.chainFirst(() =>
        this.context.principals.all.length < MOST_PRINCIPALS
          ? E.right(undefined)
          : E.left(fault('PRINCIPALS_FULL', `there are ${MOST_PRINCIPALS} principals, and no more may be`)),
      ),
      E.chainFirst(({ asked, account }) =>
        this.context.principals.find(account) === undefined
          ? E.right(undefined)
          : E.left(
              fault(
                'PRINCIPAL_EXISTS',
                `${asked.name} has a token. Change it with \`tallystick token change ${asked.name}\`, replace its key ` +
                  `with \`tallystick token rotate ${asked.name}\`, or revoke it first`,
              ),
            ),
      ),
    );
    if (E.isLeft(asked)) return TE.left(asked.left);
    const { account, allow, limited, asked: wanted } = asked.right;
    const { name, publicKey, ttlMs } = wanted;
    const created = new Date().toISOString();
    const expires = endOf(ttlMs);
    return this.#grant({ name, account, publicKey, allow: [...allow], created, expires, by, ...limited });
  }

  #change(body: unknown, by: string): TE.TaskEither<Fault, TokenChange> {
    const asked = checkChange(body);
    if (E.isLeft(asked)) return TE.left(asked.left);
    const { name, add = [], remove = [], ttlMs, limits } = asked.right;
    const found = this.#named(E.right({ name }));
    if (E.isLeft(found)) return TE.left(found.left);
    const added = parseGrants(add);
    if (E.isLeft(added)) return TE.left(added.left);
    const before = found.right;
    const missing = remove.find((each) => !before.allow.includes(each.trim().replace(/\s+/g, ' ')));
    if (missing !== undefined) {
      const has = before.allow.map((each) => `\`${each}\``).join(', ');
      return TE.left(
        fault('GRANT_INVALID', `${name} has no grant \`${missing.slice(0, 256)}\`; it has ${has}`),
      );
    }
    const gone = new Set(remove.map((each) => each.trim().replace(/\s+/g, ' ')));
    const allow = checkGrants([...before.allow.filter((each) => !gone.has(each)), ...add]);
    if (E.isLeft(allow)) return TE.left(allow.left);
    const limited = withLimits(before.limits ?? {}, limits);
    if (E.isLeft(limited)) return TE.left(limited.left);
    const expires = ttlMs === undefined ? before.expires : endOf(ttlMs);
    const { limits: _, ...rest } = before;
    return this.#grant({ ...rest, allow: [...allow.right], expires, by, ...limited.right });
  }

  #rotate(body: unknown, by: string): TE.TaskEither<Fault, TokenChange> {
    const asked = checkRotate(body);
    if (E.isLeft(asked)) return TE.left(asked.left);
    const { name, publicKey } = asked.right;
    const found = pipe(
      this.#named(E.right({ name })),
      E.chainFirst(() => this.#checkKey(publicKey)),
    );
    return E.isLeft(found) ? TE.left(found.left) : this.#grant({ ...found.right, publicKey, by });
  }

  /** The server follows first: a token must not outlive its revocation because the log is full. */
  #revoke(body: unknown, by: string): TE.TaskEither<Fault, TokenChange> {
    const found = this.#named(checkNamed(body));
    if (E.isLeft(found)) return TE.left(found.left);
    const principal = found.right;
    const change: AccessChange = { action: 'revoke', principal, by };
    return pipe(
      this.context.principals.remove(principal.account),
      TE.chain(() => TE.fromTask(this.#recorded(change))),
      TE.map((recorded) => ({ principal, recorded })),
    );
  }

  /** The log has it first: nobody may do what the log does not tell. */
  #grant(principal: Principal): TE.TaskEither<Fault, TokenChange> {
    const { producer, principals } = this.context;
    const change: AccessChange = { action: 'grant', principal, by: principal.by };
    return pipe(
      recordCommand(producer, change),
      TE.chain((command) => async () => {
        const put = await principals.put(principal)();
        await this.#finish(change, command, put);
        return E.map(() => ({ principal, recorded: command }))(put);
      }),
    );
  }

  #recorded(change: AccessChange): () => Promise<number | null> {
    return async () => {
      const command = await recordCommand(this.context.producer, change)();
      if (E.isRight(command)) {
        await this.#finish(change, command.right, E.right(undefined));
        return command.right;
      }
      const why = `${change.principal.name} is revoked, and the log does not have it yet: ${command.left.message}`;
      this.context.log(`${why}; the next start records it`);
      return null;
    };
  }

  async #finish(change: AccessChange, command: number, outcome: E.Either<Fault, unknown>): Promise<void> {
    const subject = { name: change.action, agent: change.principal.name };
    const stored = await recordResult(this.context.producer, subject, command, outcome)();
    if (E.isLeft(stored))
      this.context.log(
        `command ${command} has no result yet: ${stored.left.message}; the next start stores it`,
      );
  }

  #named(asked: E.Either<Fault, { readonly name: string }>): E.Either<Fault, Principal> {
    return pipe(
      asked,
      E.chain(({ name }) => {
        const found = this.context.principals.find(principalAccount(name));
        return found === undefined
          ? E.left(
              fault(
                'PRINCIPAL_UNKNOWN',
                `there is no principal ${JSON.stringify(name.slice(0, 64))}; \`tallystick token list\` lists them`,
              ),
            )
          : E.right(found.principal);
      }),
    );
  }

  /** The server refuses a configuration with the same key twice, and with it all later changes. */
  #checkKey(publicKey: string): E.Either<Fault, void> {
    const { principals, ownKeys } = this.context;
    const isTaken = ownKeys().has(publicKey) || principals.all.some((each) => each.publicKey === publicKey);
    return isTaken
      ? E.left(fault('PAYLOAD_INVALID', 'another account has this public key; make a new one', '/publicKey'))
      : E.right(undefined);
  }
}

/** Serves `access.<verb>.<account>`. */
export const serveAccess = (context: AccessContext, audit: Audit): Listening => {
  const operations = new AccessOperations(context);
  return serveOperators({
    nc: context.nc,
    served: SERVED.access,
    audit,
    judge: (account) => judgeOperator(account, context.principals),
    find: (subject, by) => operations.handler(subject, by),
  });
};
