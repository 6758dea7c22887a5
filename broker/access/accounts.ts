import { API_PREFIX, ownConsumerSubject } from '../../schemas/control.js';
import { CREATE_CONSUMER, DELIVERED, PULL_CONSUMER } from '../../schemas/operate.js';
import type { Manifest } from '../../schemas/manifest.js';
import { foldConsumer, LOG } from '../../schemas/log.js';
import { PRODUCER_SUBJECTS } from '../../schemas/producer-requests.js';
import type { LimitsInForce } from '../serving/limits-in-force.js';
import { type AccountLimits, limitsWithoutToken, moduleLimits, principalLimits } from './limits.js';
import { commandPatterns } from '../../schemas/publish-rights.js';

/**
 * The rights, as accounts of the NATS server (I7). One account cannot do this: a client that may publish one
 * stored subject can name a reply subject, and the server publishes its answer there with its own rights. So CORE has
 * the log and the broker, everyone else has a separate account with exactly these imports; an answer that is
 * redirected by a reply subject ends in the account of who redirected it. See docs/decisions/0002-accounts.md.
 */
export interface AccountImport {
  /** Subject in CORE, exported to this account alone. */
  readonly subject: string;
  /** The name it has in the account that imports it; the same when absent. */
  readonly as?: string;
  /** `stream`: what CORE publishes is seen. `service`: what the account publishes reaches CORE. */
  readonly kind: 'service' | 'stream';
  /** A service that answers one request with several messages. */
  readonly many?: boolean;
  /**
   * The server tells the number of the connection too, by which the broker shares its time out; nothing else goes by
   * it.
   */
  readonly share?: boolean;
}

export interface AccountPlan {
  readonly name: string;
  /** Public nkey; null for the guest, who connects without a credential. */
  readonly publicKey: string | null;
  readonly imports: readonly AccountImport[];
  readonly limits: AccountLimits;
  /** What this account's connections may publish; everything when absent. The server reports each refusal. */
  readonly publish?: Permission;
  /** What they may subscribe to, likewise. */
  readonly subscribe?: Permission;
}

/** Subjects that are allowed (all, when absent), but those that are denied. */
export interface Permission {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

const service = (subject: string, as?: string): AccountImport =>
  as === undefined ? { kind: 'service', subject } : { kind: 'service', subject, as };

/**
 * The import appends the account's name as the last token. So the broker and the log read who sends from the subject,
 * which the server wrote. Nothing that a sender writes says who it is: a header can be forged.
 */
export const signed = (subject: string, sender: string): AccountImport =>
  service(`${subject}.${sender}`, subject);

/** Addresses of one to five parts. Some are no address: the service reports that. */
const ADDRESSES = ['*', '*.*', '*.*.*', '*.*.*.*', '*.*.*.*.*'];

const COMMANDS = ['*.*', '*.*.*'];

/** A module, or one of its agents. */
const READ = ['*', '*.*'];

const ASKED = [...ADDRESSES.map((address) => `schedule.${address}`), PRODUCER_SUBJECTS];

/** What follows `$SRV`: a verb, a name, an id. */
const DISCOVERED = ['*', '*.*', '*.*.*'];

/** `subscription.list`, and what is asked of one subscription: `subscription.next.NAME`. */
const SUBSCRIPTIONS = ['subscription.*', 'subscription.*.*'];

// The imports take these subjects only. The server would drop any other one silently, so it must refuse them with an
// error.
const GUEST_PUBLISH = [
  ...COMMANDS.map((address) => `cmd.${address}`),
  ...ADDRESSES.map((address) => `call.${address}`),
  ...ASKED,
  'result.*',
  'cancel.*',
  'restart.*',
  'signal.*.*.*',
  'promise.*.*',
  ...READ.map((address) => `state.${address}`),
  ...SUBSCRIPTIONS,
  ...DISCOVERED.map((about) => `$SRV.${about}`),
];

/** What people ask of the services that there are. */
export const discovery = (sender: string): readonly AccountImport[] =>
  DISCOVERED.map((about) => ({ ...service(`discover.${about}.${sender}`, `$SRV.${about}`), many: true }));

/** The result of a command that was sent before; the broker looks who sent it. */
export const askResults = (sender: string): AccountImport => signed('result.*', sender);

/**
 * Cancels a command; the broker looks who may. In CORE it has another first part: `cancel.*.*` are records of the log.
 */
export const askCancels = (sender: string): AccountImport => service(`cancelling.*.${sender}`, 'cancel.*');

/** Restarts a command; the broker looks who may. In CORE `restart.*.*` are records of the log. */
export const askRestarts = (sender: string): AccountImport => service(`restarting.*.${sender}`, 'restart.*');

/** Ends of promises: who holds the id may end one. */
export const endPromises = (sender: string): AccountImport =>
  service(`promising.*.*.${sender}`, 'promise.*.*');

/** Signals to agents. In the account of the log, `signal.…` are records. */
export const sendSignals = (sender: string): AccountImport =>
  service(`signalling.*.*.*.${sender}`, 'signal.*.*.*');

/** States of agents, and of modules themselves. */
export const readStates = (sender: string): readonly AccountImport[] =>
  READ.map((address) => signed(`state.${address}`, sender));

/** Subscriptions of programs. The broker judges which events an account may listen to. */
export const subscribeEvents = (sender: string): readonly AccountImport[] =>
  SUBSCRIPTIONS.map((subject) => signed(subject, sender));

/**
 * People's commands go to the broker, which stores them: a client that is no producer of the log cannot set the
 * headers that JetStream acts on, nor to those by which the log knows who wrote what. Calls and questions have
 * another first token than modules' and services' within CORE: the broker takes what people send over a connection
 * that carries nothing else.
 */
const people = (sender: string): readonly AccountImport[] => [
  // With the number of the connection: the broker shares its time out by it, and nothing else.
  ...[
    ...COMMANDS.map((address) => service(`send.${address}.${sender}`, `cmd.${address}`)),
    ...ADDRESSES.map((address) => service(`ask.${address}.${sender}`, `call.${address}`)),
    ...ASKED.map((subject) => signed(subject, sender)),
    askResults(sender),
    askCancels(sender),
    askRestarts(sender),
    sendSignals(sender),
    endPromises(sender),
    ...readStates(sender),
    ...subscribeEvents(sender),
    ...discovery(sender),
  ].map((grant) => ({ ...grant, share: true })),
  { kind: 'stream', subject: 'live.>' },
];

// Guests share one account. One that subscribed to `call.>` would see what the others send, and could answer it.
const GUEST_SUBSCRIBE = ['live.>', '_INBOX.>'];

/** The guest who may do what a client can do. */
export const guestPlan = (
  limits: AccountLimits = principalLimits(limitsWithoutToken('guest', {})),
): AccountPlan => ({
  name: 'guest',
  publicKey: null,
  limits,
  imports: people('guest'),
  publish: { allow: GUEST_PUBLISH },
  subscribe: { allow: GUEST_SUBSCRIBE },
});

/** Reads everything and makes consumers; does not update, purge or delete records of the log. */
const OPERATOR_API = [
  '$JS.API.INFO',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.INFO.*',
  '$JS.API.STREAM.MSG.GET.*',
  '$JS.API.CONSUMER.LIST.*',
  '$JS.API.CONSUMER.NAMES.*',
  '$JS.API.CONSUMER.INFO.>',
  '$JS.API.CONSUMER.DELETE.*.*',
  '$JS.ACK.>',
] as const;

/** Requests that would take commands from a module, or move its checkpoint past commands without a result. */
export const ofModule = (module: string): readonly string[] => [
  `$JS.API.CONSUMER.MSG.NEXT.LOG.${module}`,
  `$JS.API.CONSUMER.MSG.NEXT.LOG.${foldConsumer(module)}`,
  `${PULL_CONSUMER}.${LOG}.${module}.>`,
  `${PULL_CONSUMER}.${LOG}.${foldConsumer(module)}.>`,
  `$JS.API.CONSUMER.DELETE.LOG.${module}`,
  `$JS.API.CONSUMER.DELETE.LOG.${foldConsumer(module)}`,
  `$JS.ACK.LOG.${module}.>`,
  // The form with domain and account in it.
  `$JS.ACK.*.*.LOG.${module}.>`,
];

/** How an operator reads the log: the server's API, and the consumers that the broker makes for it. */
export const operateImports = (): readonly AccountImport[] => [
  ...OPERATOR_API.map((subject) => service(subject)),
  { kind: 'service', subject: '$JS.API.DIRECT.GET.>', many: true },
  { kind: 'service', subject: '$JS.API.CONSUMER.MSG.NEXT.>', many: true },
  // Served by the broker, which looks at what the server would not; see broker/operate/operator-consumers.ts.
  service(`${CREATE_CONSUMER}.>`, '$JS.API.CONSUMER.CREATE.>'),
  // Passed on by the broker, so that records come as a stream: as answers of a service each costs the server half
  // as much again.
  service(`${PULL_CONSUMER}.>`),
  { kind: 'stream', subject: `${DELIVERED}.>` },
];

/** All that operators ask of the broker. The broker reads from the subject who asks: the audit has that. */
export const adminImports = (account: string): readonly AccountImport[] =>
  ['ops.*', 'ops.*.*', 'access.*'].map((subject) => signed(subject, account));

export const operatorPlan = (
  publicKey: string,
  modules: readonly string[] = [],
  limits: LimitsInForce = limitsWithoutToken('operator', {}),
): AccountPlan => ({
  name: 'operator',
  publicKey,
  limits: principalLimits(limits),
  publish: { deny: modules.flatMap(ofModule) },
  imports: [...people('operator'), ...operateImports(), ...adminImports('operator')],
});

/** Exactly what one module needs: its own part of the log, its consumers, and the actions it declares to call. */
export const modulePlan = (
  manifest: Manifest,
  publicKey: string,
  limits: LimitsInForce = limitsWithoutToken(manifest.name, {}),
): AccountPlan => {
  const self = manifest.name;
  const api = (subject: string, many = false): AccountImport => ({
    kind: 'service',
    subject: `$JS.API.${subject}`,
    // The plain name would meet the server's own "JetStream not enabled for account".
    as: `${API_PREFIX}.${subject}`,
    many,
  });
  return {
    name: self,
    publicKey,
    limits: moduleLimits(limits),
    imports: [
      service(`evt.${self}.>`),
      service(`res.${self}.>`),
      service(`step.${self}.>`),
      service(`ctl.${self}.>`),
      { kind: 'stream', subject: `told.${self}.>` },
      // Some clients ask it before they pull. The broker answers: it counts, and the server would not.
      service(ownConsumerSubject(self), `${API_PREFIX}.CONSUMER.INFO.LOG.${self}`),
      ...commandPatterns(manifest).flatMap((target) => [
        signed(`cmd.${target}`, self),
        signed(`call.${target}`, self),
      ]),
      api(`CONSUMER.MSG.NEXT.LOG.${self}`, true),
      api(`CONSUMER.MSG.NEXT.LOG.${foldConsumer(self)}`, true),
      service(`$JS.ACK.LOG.${self}.>`),
    ],
  };
};
