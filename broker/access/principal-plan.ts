import { allows, type Grant, type Method, type OperateRole } from '../../schemas/grants.js';
import { DELIVERED, OPS } from '../../schemas/operate.js';
import { PRODUCER_SUBJECTS } from '../../schemas/producer-requests.js';
import {
  askCancels,
  askRestarts,
  askResults,
  type AccountImport,
  type AccountPlan,
  adminImports,
  discovery,
  endPromises,
  ofModule,
  operateImports,
  readStates,
  sendSignals,
  signed,
  subscribeEvents,
} from './accounts.js';
import type { LimitsInForce } from '../serving/limits-in-force.js';
import { principalLimits } from './limits.js';

/** The first part of a subject that a client sends, and that the broker hears. */
const SENT: Readonly<Record<'call' | 'send' | 'schedule', readonly [sent: string, heard: string]>> = {
  call: ['call', 'ask'],
  send: ['cmd', 'send'],
  schedule: ['schedule', 'schedule'],
};

/** The server knows no pattern within a part: what it lets through by this, the broker looks at again. */
const serverPart = (pattern: string): string => (pattern.includes('*') ? '*' : pattern);

/** The subjects of two and of three parts that a pattern covers, at least. */
const addresses = (parts: readonly string[]): readonly string[] => {
  const [module = '*', name = '*', agent] = parts.map(serverPart);
  const both = `${module}.${name}`;
  return agent === undefined ? [both, `${both}.*`] : [`${both}.${agent}`];
};

/** The signals that a pattern of `send` covers, at least: the name of the signal is in the place of the action. */
const signals = (parts: readonly string[]): readonly string[] => {
  const [module = '*', name = '*', agent = '*'] = parts.map(serverPart);
  return [`signal.${module}.${name}.${agent}`];
};

/** The subjects of one and of two parts that a pattern of `read` covers, at least. */
const readAddresses = (parts: readonly string[]): readonly string[] => {
  const [module = '*', agent] = parts.map(serverPart);
  return agent === undefined ? [module, `${module}.*`] : [`${module}.${agent}`];
};

const ADDRESSES = ['*.*', '*.*.*'];

const READER_OPS = [
  OPS.status,
  OPS.moduleList,
  OPS.moduleInfo,
  OPS.moduleStats,
  OPS.scheduleList,
  OPS.scheduleShow,
  OPS.deadList,
  OPS.deadShow,
  OPS.deadResults,
  OPS.auditList,
  OPS.logs,
  OPS.sensitive,
  OPS.configList,
];

const KEEPER_OPS = [...READER_OPS, OPS.scheduleCancel, OPS.deadRedrive];

/** What an operator of a role may ask. An admin loads modules, which is to run code: nothing is kept from them. */
const operationsOf = (role: OperateRole, account: string): readonly AccountImport[] => {
  switch (role) {
    case 'reader':
      return READER_OPS.map((subject) => signed(subject, account));
    case 'keeper':
      return KEEPER_OPS.map((subject) => signed(subject, account));
    case 'admin':
      return adminImports(account);
  }
};

/** The highest role that these rights give. */
export const roleOf = (rights: readonly Grant[]): OperateRole | undefined =>
  (['admin', 'keeper', 'reader'] as const).find((role) =>
    allows(rights, { method: 'operate', parts: [role] }),
  );

/** A principal as the server needs to know it. */
export interface PlannedPrincipal {
  readonly account: string;
  readonly publicKey: string;
  readonly rights: readonly Grant[];
  readonly limits: LimitsInForce;
}

/**
 * The account of a principal, with exactly what its grants say, but for patterns within a part: those the
 * broker judges (`admission.ts`). No two principals share an account, so none sees the replies of another.
 */
export const principalPlan = (
  { account, publicKey, rights, limits }: PlannedPrincipal,
  modules: readonly string[],
): AccountPlan => {
  const of = (method: Method): readonly Grant[] => rights.filter((right) => right.method === method);
  const requests = (['call', 'send', 'schedule'] as const).filter((method) => of(method).length > 0);
  const role = roleOf(rights);
  const hears = of('listen').length > 0 || role !== undefined;
  const subscriptions = hears ? subscribeEvents(account) : [];
  const people: readonly AccountImport[] = [
    ...requests.flatMap((method) => {
      const [sent, heard] = SENT[method];
      return ADDRESSES.map(
        (address): AccountImport => ({
          kind: 'service',
          subject: `${heard}.${address}.${account}`,
          as: `${sent}.${address}`,
        }),
      );
    }),
    ...(of('produce').length === 0 ? [] : [signed(PRODUCER_SUBJECTS, account)]),
    ...(of('read').length === 0 && role === undefined ? [] : readStates(account)),
    askResults(account),
    askCancels(account),
    askRestarts(account),
    endPromises(account),
    ...(of('send').length === 0 ? [] : [sendSignals(account)]),
    ...subscriptions,
    ...discovery(account),
  ].map((grant) => ({ ...grant, share: true }));
  const operator = role === undefined ? [] : [...operateImports(), ...operationsOf(role, account)];
  const heard = [
    ...of('listen').flatMap(({ parts }) => addresses(parts).map((address) => `live.evt.${address}`)),
    ...(role === undefined ? [] : ['live.>', `${DELIVERED}.>`]),
  ];
  const live: readonly AccountImport[] = hears ? [{ kind: 'stream', subject: 'live.>' }] : [];
  const sent = [
    ...requests.flatMap((method) =>
      of(method).flatMap(({ parts }) => addresses(parts).map((address) => `${SENT[method][0]}.${address}`)),
    ),
    ...(of('produce').length === 0 ? [] : [PRODUCER_SUBJECTS]),
    ...of('send').flatMap(({ parts }) => signals(parts)),
    ...(role === undefined ? of('read').flatMap(({ parts }) => readAddresses(parts)) : ['*', '*.*']).map(
      (address) => `state.${address}`,
    ),
    ...subscriptions.map(({ subject, as = subject }) => as),
    askResults(account).as ?? '',
    askCancels(account).as ?? '',
    askRestarts(account).as ?? '',
    endPromises(account).as ?? '',
    ...discovery(account).map(({ as = '' }) => as),
    ...operator.filter(({ kind }) => kind === 'service').map(({ subject, as = subject }) => as),
  ];
  return {
    name: account,
    publicKey,
    limits: principalLimits(limits),
    imports: [...people, ...live, ...operator],
    publish: { allow: sent, deny: role === undefined ? [] : modules.flatMap(ofModule) },
    subscribe: { allow: ['_INBOX.>', ...heard] },
  };
};
