import type { Trusted } from '../../schemas/config.js';
import { PRODUCER_SUBJECTS } from '../../schemas/producer-requests.js';
import type { AccountPlan, AccountImport, Permission } from './accounts.js';
import { type AccountLimits, SERVER_LIMITS } from './limits.js';

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly storeDir: string;
  /** `always` under durability `fsync`; a duration such as `2m` under `os`. */
  readonly syncInterval: string;
  /** Clients connect from other machines, so more time may pass until they say who they are. */
  readonly isRemote?: boolean;
}

export interface AccessPlan {
  /** Public nkeys of the broker's own two connections. */
  readonly core: string;
  readonly system: string;
  readonly accounts: readonly AccountPlan[];
  /** Programs in CORE besides the broker. */
  readonly trusted?: readonly Trusted[];
}

// The configuration format reads JSON strings, so quoting is JSON's and no name can break out of its place.
const q = (text: string): string => JSON.stringify(text);
const list = (items: readonly string[]): string => `[${items.map(q).join(', ')}]`;

const exportLine = ({ kind, subject, many }: AccountImport, accounts: readonly string[]): string =>
  `      { ${kind}: ${q(subject)}, accounts: ${list(accounts)}${many === true ? ', response_type: stream' : ''} }`;

const importLine = ({ kind, subject, as, share }: AccountImport): string =>
  `      { ${kind}: { account: CORE, subject: ${q(subject)} }${as === undefined ? '' : `, to: ${q(as)}`}${
    share === true ? ', share: true' : ''
  } }`;

/** One export per subject, naming every account that was granted it. */
const exportsOf = (accounts: readonly AccountPlan[]): readonly string[] => {
  const bySubject = new Map<string, { granted: AccountImport; names: string[] }>();
  for (const account of accounts) {
    for (const granted of account.imports) {
      const key = `${granted.kind} ${granted.subject}`;
      const entry = bySubject.get(key);
      if (entry === undefined) bySubject.set(key, { granted, names: [account.name] });
      else entry.names.push(account.name);
    }
  }
  return [...bySubject.values()].map(({ granted, names }) => exportLine(granted, names));
};

const permission = (
  kind: 'publish' | 'subscribe',
  { allow = [], deny = [] }: Permission = {},
): readonly string[] => {
  const rules = [
    ...(allow.length === 0 ? [] : [`allow: ${list(allow)}`]),
    ...(deny.length === 0 ? [] : [`deny: ${list(deny)}`]),
  ];
  return rules.length === 0 ? [] : [`${kind}: { ${rules.join(', ')} }`];
};

const userLine = (account: AccountPlan): string => {
  const rules = [...permission('publish', account.publish), ...permission('subscribe', account.subscribe)];
  const permissions = rules.length === 0 ? '' : `, permissions: { ${rules.join(', ')} }`;
  // A password that everyone knows is what makes the guest a user that `no_auth_user` can name.
  return account.publicKey === null
    ? `    users: [ { user: ${q(account.name)}, password: ${q(account.name)}${permissions} } ]`
    : `    users: [ { nkey: ${account.publicKey}${permissions} } ]`;
};

/**
 * The rights of a trusted program. They stop mistakes, not malice: in CORE, a client that may publish one stored
 * subject can have the server publish an answer wherever it likes; see AccountPlan.
 */
const trustedUser = ({ module, publicKey }: Trusted): string => {
  const rules = [
    ...permission('publish', { allow: [`evt.${module}.>`, PRODUCER_SUBJECTS] }),
    ...permission('subscribe', { allow: ['_INBOX.>'] }),
  ];
  return `{ nkey: ${publicKey}, permissions: { ${rules.join(', ')} } }`;
};

const limitsLine = ({ maxConnections, maxSubscriptions, maxPayload }: AccountLimits): string => {
  const payload = maxPayload === undefined ? '' : `, max_payload: ${maxPayload}`;
  return `    limits: { max_connections: ${maxConnections}, max_subscriptions: ${maxSubscriptions}${payload} }`;
};

/** What comes from CORE as a stream, under a name that nothing else may have within the account. */
const streams = ({ imports }: AccountPlan): readonly string[] =>
  imports.flatMap(({ kind, subject, as = subject }) => (kind === 'stream' ? [as] : []));

/**
 * The server sends an answer to whatever reply subject its asker named, within the asker's account: also to
 * `live.evt.…`, where others would take it for what was stored. A mapping of the account sends it elsewhere. What is
 * imported as a stream does not pass the mappings (processServiceImport in client.go of nats-server 2.15.1 does,
 * deliverMsg does not).
 */
const mappings = (account: AccountPlan): readonly string[] => {
  const names = streams(account);
  const lines = names.map((name) => `${q(name)}: ${q(`misdirected.${name}`)}`);
  return names.length === 0 ? [] : [`    mappings: { ${lines.join(', ')} }`];
};

const accountBlock = (account: AccountPlan): string =>
  [
    `  ${q(account.name)}: {`,
    userLine(account),
    ...mappings(account),
    limitsLine(account.limits),
    '    imports: [',
    ...account.imports.map(importLine),
    '    ]',
    '  }',
  ].join('\n');

/** The `accounts` part. An operator can also include it in the configuration of another server. */
export const accountsConfig = ({ core, system, accounts, trusted = [] }: AccessPlan): string =>
  [
    'system_account: SYS',
    ...(accounts.some(({ name }) => name === 'guest') ? ['no_auth_user: guest'] : []),
    'accounts: {',
    `  SYS: { users: [ { nkey: ${system} } ] }`,
    '  CORE: {',
    '    jetstream: enabled',
    `    users: [ ${[`{ nkey: ${core} }`, ...trusted.map(trustedUser)].join(', ')} ]`,
    '    exports: [',
    ...exportsOf(accounts),
    '    ]',
    '  }',
    ...accounts.map(accountBlock),
    '}',
    '',
  ].join('\n');

/**
 * Open batches of one stream. The server makes a directory for each, and holds it for 10 s if it does not end. Under
 * `os` no producer sends batches (decision 0016), so one sender could only take all others' time with them.
 */
const OPEN_BATCHES_OS = 1;
/** Under `fsync` each producer has one batch on its way at a time; this is the server's default. */
const OPEN_BATCHES_FSYNC = 50;

const batchLimits = ({ syncInterval }: ServerSettings): string =>
  `limits: { batch: { max_inflight_per_stream: ${syncInterval === 'always' ? OPEN_BATCHES_FSYNC : OPEN_BATCHES_OS} } }`;

/** The whole configuration of the embedded server. It binds to loopback: `guest` needs no credential. */
export const serverConfig = (settings: ServerSettings, plan: AccessPlan): string =>
  [
    '# Written by tallystick at every start and whenever a module comes or goes; changes made here are lost.',
    'server_name: tallystick',
    `host: ${q(settings.host)}`,
    `port: ${settings.port}`,
    `jetstream: { store_dir: ${q(settings.storeDir)}, sync_interval: ${q(settings.syncInterval)}, ${batchLimits(settings)} }`,
    // A client that cannot keep up is cut after this, instead of holding back what the rest waits for.
    'write_deadline: "10s"',
    ...(settings.isRemote === true ? ['authorization: { timeout: 10 }'] : []),
    // What a connection has no room for is refused to who sends it. Held back for 2 ms, large requests come faster
    // than the server can pass them on, and it closes the broker's connection with all that waits in it.
    'no_fast_producer_stall: true',
    ...Object.entries(SERVER_LIMITS).map(([name, value]) => `${name}: ${value}`),
    accountsConfig(plan),
  ].join('\n');
