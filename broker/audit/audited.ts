import * as E from 'fp-ts/lib/Either.js';
import type { ActKind } from '../../schemas/audit-record.js';
import { ACCESS, type TokenChange } from '../../schemas/access-requests.js';
import type { ConfigChange } from '../../schemas/config-requests.js';
import type { RedriveAnswer } from '../../schemas/dead.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import { OPS } from '../../schemas/operate.js';
import type { Body, Handler } from '../serving/serve-requests.js';
import type { Act, Audit } from './audit.js';

/** What a record tells of an act besides who, when and how it ended. */
type ToldAct = Pick<Act, 'target' | 'detail' | 'log'>;

interface Recorded {
  readonly kind: ActKind;
  /** `reply`: the answer to an act that was done. Undefined: this request does nothing, and has no record. */
  readonly told: (body: Body, reply: object | undefined) => ToldAct | undefined;
}

/** A request may have anything there, also an object whose `toString` is no function. Then it names nothing. */
const text = (body: Body, key: string): string => {
  const value = body[key];
  return typeof value === 'object' || value === undefined ? '' : `${value}`;
};

const targeted = (kind: ActKind, key: string): Recorded => ({
  kind,
  told: (body) => ({ target: text(body, key) }),
});

/** The log has the grants: the record points to them. */
const ofToken = (kind: ActKind): Recorded => ({
  kind,
  told: (body, reply) => {
    const recorded = (reply as TokenChange | undefined)?.recorded ?? null;
    return { target: text(body, 'name'), ...(recorded === null ? {} : { log: recorded }) };
  },
});

/** Module and key. The value is in no record, whether it is a secret or not. */
const ofConfig = (kind: ActKind): Recorded => ({
  kind,
  told: (body, reply) => {
    const change = reply as Partial<ConfigChange> | undefined;
    const target = `${text(body, 'module')}.${text(body, 'key')}`;
    if (change?.version === undefined) return { target };
    return { target, detail: change.changed === false ? 'it had that value' : `version ${change.version}` };
  },
});

const redriven = (body: Body, reply: object | undefined): ToldAct => {
  const answers = (reply as { readonly answers?: readonly RedriveAnswer[] } | undefined)?.answers ?? [];
  const each = answers.map((answer) =>
    'command' in answer ? `${answer.letter} as ${answer.command}` : `${answer.letter}: ${answer.error.code}`,
  );
  const asked = Array.isArray(body.seqs) ? body.seqs.length : 0;
  return { target: `${asked} dead letters`, ...(each.length === 0 ? {} : { detail: each.join(', ') }) };
};

const RECORDED: Readonly<Record<string, Recorded>> = {
  [OPS.moduleLoad]: targeted('module.load', 'dir'),
  [OPS.moduleUnload]: {
    kind: 'module.unload',
    told: (body) => ({
      target: text(body, 'name'),
      ...(body.withDependents === true ? { detail: 'with the modules that depend on it' } : {}),
    }),
  },
  [OPS.moduleReload]: {
    kind: 'module.reload',
    told: (body) => ({
      target: text(body, 'name'),
      ...(typeof body.dir === 'string' ? { detail: `from ${body.dir}` } : {}),
    }),
  },
  [OPS.moduleRemove]: {
    kind: 'module.remove',
    told: (body) => (body.dryRun === true ? undefined : { target: text(body, 'name') }),
  },
  [OPS.scheduleCancel]: targeted('schedule.cancel', 'id'),
  [OPS.deadRedrive]: { kind: 'dead.redrive', told: redriven },
  [OPS.sensitive]: {
    kind: 'data.reveal',
    told: (body) => (body.reveal === true ? { target: text(body, 'what') } : undefined),
  },
  [OPS.agentErase]: {
    kind: 'agent.erase',
    told: (body) => ({ target: `${text(body, 'module')} ${text(body, 'agent')}` }),
  },
  [OPS.burstStart]: {
    kind: 'burst.start',
    told: (body) => ({ target: `${text(body, 'rate')} ${text(body, 'kind')} a second` }),
  },
  [OPS.configSet]: ofConfig('config.set'),
  [OPS.configUnset]: ofConfig('config.unset'),
  [OPS.configReveal]: ofConfig('config.reveal'),
  [ACCESS.create]: ofToken('token.create'),
  [ACCESS.change]: ofToken('token.change'),
  [ACCESS.rotate]: ofToken('token.rotate'),
  [ACCESS.revoke]: ofToken('token.revoke'),
};

/**
 * The handler of an operator's request. If the request is an act, its record is in the stream before its reply goes
 * out: an act that was answered is in the audit, also after a kill.
 */
export const audited = (audit: Audit, subject: string, by: string, handler: Handler): Handler => {
  const recorded = Object.hasOwn(RECORDED, subject) ? RECORDED[subject] : undefined;
  if (recorded === undefined) return handler;
  const { kind, told } = recorded;
  const record = async (body: Body, ended: E.Either<Fault, object | undefined>): Promise<void> => {
    const about = told(body, E.isRight(ended) ? ended.right : undefined);
    if (about === undefined) return;
    const outcome = E.isRight(ended) ? 'ok' : ended.left.code;
    await audit.act({ principal: by, kind, outcome, ...about });
  };
  return (body) => async () => {
    try {
      const ended = await handler(body, (late) => void record(body, late))();
      await record(body, ended);
      return ended;
    } catch (error) {
      await record(body, E.left(toFault(error)));
      throw error;
    }
  };
};
