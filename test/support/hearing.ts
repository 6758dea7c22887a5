import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readLog } from '../../journal/read/reader.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import type { NatsConnection } from 'nats';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { OPS } from '../../schemas/operate.js';
import { connectOperator } from './log-checks.js';
import { sourceManifest, writeSourceModule } from './source-module.js';

const PACKAGE = { 'package.json': '{"type":"module"}' };
const ANY = { input: {}, output: {} };

const shopManifest = sourceManifest('shop', {
  actions: { sell: ANY, refund: ANY },
  events: { sold: { data: {} }, refunded: { data: {} } },
  limits: { crashes: 1_000, startMs: 10_000 },
});

/** A module that publishes as many events as it is asked for: `{ "times": 3, "data": { … } }`. */
export const writeShop = (dir: string): string =>
  writeSourceModule(join(dir, 'shop'), shopManifest, {
    ...PACKAGE,
    'index.js': `
const publish = (name) => ({
  decide: (_, { data: { times = 1, data = {} } }) => ({
    _tag: 'Right',
    right: { data: {}, events: Array.from({ length: times }, (_, i) => ({ name, data: { ...data, i } })) },
  }),
});
export default {
  manifest: ${JSON.stringify(shopManifest)},
  initial: {},
  actions: { sell: publish('sold'), refund: publish('refunded') },
  evolve: { sold: (state) => state, refunded: (state) => state },
};
`,
  });

export const listenerManifest = (name: string, on: Readonly<Record<string, object>>, change: object = {}) =>
  sourceManifest(name, {
    actions: Object.fromEntries(
      Object.values(on).map((heard) => [
        (heard as { action: string }).action,
        { ...ANY, callers: 'events', ...((heard as { options?: object }).options ?? {}) },
      ]),
    ),
    events: { noted: { data: {} } },
    on: Object.fromEntries(
      Object.entries(on).map(([events, { options: _, ...heard }]: [string, { options?: object }]) => [
        events,
        heard,
      ]),
    ),
    limits: { crashes: 1_000, startMs: 10_000 },
    ...change,
  });

const NOTE = `(_, { data: { seq, event } }) => ({
  _tag: 'Right', right: { data: { seq, event }, events: [{ name: 'noted', data: { seq } }] },
})`;

/** A module whose actions say in their result which event they handled. `handlers`: others than that, by action. */
export const writeListener = (
  dir: string,
  name: string,
  on: Readonly<Record<string, object>>,
  handlers: Readonly<Record<string, string>> = {},
  change: object = {},
): string => {
  const manifest = listenerManifest(name, on, change);
  const actions = Object.keys(manifest.actions)
    .map((action) => `${JSON.stringify(action)}: ${handlers[action] ?? `{ decide: ${NOTE} }`}`)
    .join(',\n');
  return writeSourceModule(join(dir, name), manifest, {
    ...PACKAGE,
    'index.js': `
export default {
  manifest: ${JSON.stringify(manifest)},
  initial: { seen: 0 },
  actions: { ${actions} },
  evolve: { noted: ({ seen }) => ({ seen: seen + 1 }) },
};
`,
  });
};

/**
 * A read model that counts the events of each agent, and notes whether they came in order. `on`: how it folds each
 * event.
 */
export const writeReadModel = (
  dir: string,
  name: string,
  folds: Readonly<Record<string, object>>,
): string => {
  const manifest = sourceManifest(name, {
    actions: {},
    events: {},
    folds: Object.fromEntries(Object.entries(folds).map(([each, fold]) => [each, { data: {}, ...fold }])),
    index: ['parity'],
    limits: { crashes: 1_000, startMs: 10_000 },
  });
  const evolve = `({ seen, last, inOrder }, { seq }) => ({
    seen: seen + 1, last: seq, inOrder: inOrder && seq > last, parity: seen % 2 === 0 ? 'odd' : 'even',
  })`;
  const evolves = Object.keys(folds).map((each) => `${JSON.stringify(each)}: ${evolve}`);
  return writeSourceModule(join(dir, name), manifest, {
    ...PACKAGE,
    'index.js': `
export default {
  manifest: ${JSON.stringify(manifest)},
  initial: { seen: 0, last: 0, inOrder: true, parity: 'none' },
  actions: {},
  evolve: { ${evolves.join(',\n')} },
};
`,
  });
};

/** How an event was handled. */
export interface HandledEvent {
  readonly event: number;
  readonly command: number;
  /** Subject of the command. */
  readonly subject: string;
  readonly result: Result | undefined;
  readonly resultSeq: number;
}

export interface HeardLog {
  /** All events of the log, with their subjects. */
  readonly events: ReadonlyMap<number, string>;
  /** What each listener handled, in the order of its commands. */
  readonly handled: ReadonlyMap<string, readonly HandledEvent[]>;
}

/** Lays events and their handling together from the records alone, apart from the code that brings them. */
export const readHeard = async (dataDir: string): Promise<HeardLog> => {
  const nc = await connectOperator(dataDir);
  const events = new Map<number, string>();
  const commands = new Map<number, { listener: string; event: number; subject: string }>();
  const results = new Map<number, StoredMessage>();
  try {
    for await (const message of readLog(nc)) {
      const [kind, module = ''] = message.subject.split('.');
      if (kind === 'evt') events.set(message.seq, message.subject);
      const [event = ''] = (message.header(HEADER.event) ?? '').split(' ');
      if (kind === 'cmd' && event !== '' && message.header(HEADER.id)?.startsWith('__events') === true)
        commands.set(message.seq, { listener: module, event: Number(event), subject: message.subject });
      const cause = parseSequence(message.header(HEADER.cause) ?? '');
      if (kind === 'res' && cause !== undefined) results.set(cause, message);
    }
  } finally {
    await nc.close();
  }
  const handled = new Map<string, HandledEvent[]>();
  for (const [command, { listener, event, subject }] of commands) {
    const stored = results.get(command);
    const result =
      stored === undefined ? undefined : (JSON.parse(new TextDecoder().decode(stored.data)) as Result);
    const all = handled.get(listener) ?? [];
    all.push({ event, command, subject, result, resultSeq: stored?.seq ?? 0 });
    handled.set(listener, all);
  }
  return { events, handled };
};

/**
 * Throws unless a listener has handled exactly these events, each once and with a result, those of an agent in order.
 * `byName`: only those of one name are in order, since one of the entries began later than the others.
 */
export const assertHandled = (
  { events, handled }: HeardLog,
  listener: string,
  due: readonly number[],
  { byName = false } = {},
): void => {
  const all = handled.get(listener) ?? [];
  const unanswered = all.filter(({ result }) => result === undefined);
  assert.equal(unanswered.length, 0, `${unanswered.length} events have no result`);
  const got = all.map(({ event }) => event);
  assert.equal(got.length - new Set(got).size, 0, 'events were handled twice');
  assert.deepEqual(
    got.toSorted((a, b) => a - b),
    due.toSorted((a, b) => a - b),
  );
  const last = new Map<string, { event: number; resultSeq: number }>();
  for (const { subject, event, resultSeq } of all) {
    const agent = subject.split('.').slice(3, -1).join('.');
    const lane = byName ? `${agent} ${events.get(event)?.split('.')[2]}` : agent;
    const before = last.get(lane);
    assert.ok(before === undefined || before.event < event, `${lane} heard ${before?.event} before ${event}`);
    assert.ok(before === undefined || before.resultSeq < resultSeq, `${lane} answered ${event} too early`);
    last.set(lane, { event, resultSeq });
  }
};

/** Counts events in the log by what is in their data, apart from the code that folds them. */
export const countEventsBy = async (
  dataDir: string,
  fits: RegExp,
  agentOf: (data: Readonly<Record<string, unknown>>, subject: string) => string,
): Promise<ReadonlyMap<string, { readonly seen: number; readonly last: number }>> => {
  const counts = new Map<string, { seen: number; last: number }>();
  const nc = await connectOperator(dataDir);
  try {
    for await (const { subject, seq, data } of readLog(nc)) {
      if (!fits.test(subject)) continue;
      const agent = agentOf(JSON.parse(new TextDecoder().decode(data)) as Record<string, unknown>, subject);
      counts.set(agent, { seen: (counts.get(agent)?.seen ?? 0) + 1, last: seq });
    }
  } finally {
    await nc.close();
  }
  return counts;
};

/** Throws unless the states of a read model of {@link writeReadModel} are these counts, and no others. */
export const assertFolded = async (
  dataDir: string,
  name: string,
  counts: ReadonlyMap<string, { readonly seen: number; readonly last: number }>,
): Promise<void> => {
  const agents = new ModuleAgents(name, dataDir);
  try {
    const listed = agents.list({ limit: 10_000 }).agents.map(({ agent }) => agent);
    const named = [...counts.keys()].filter((agent) => agent !== '');
    assert.deepEqual(listed, named.toSorted());
    for (const [agent, { seen, last }] of counts) {
      const found = agents.get(agent);
      const parity = seen % 2 === 1 ? 'odd' : 'even';
      assert.deepEqual(found?.state, { seen, last, inOrder: true, parity }, `${name} ${agent}`);
      assert.equal(found?.seq, last);
    }
    const odd = named.filter((agent) => (counts.get(agent)?.seen ?? 0) % 2 === 1).toSorted();
    const page = agents.list({ where: { parity: 'odd' }, limit: 10_000 });
    assert.deepEqual(
      page.agents.map(({ agent }) => agent),
      odd,
    );
  } finally {
    await agents.close();
  }
};

/** Sequences of the events whose subjects fit. */
export const eventsOf = ({ events }: HeardLog, fits: RegExp): readonly number[] =>
  [...events].filter(([, subject]) => fits.test(subject)).map(([seq]) => seq);

const REQUESTS = {
  load: OPS.moduleLoad,
  reload: OPS.moduleReload,
  unload: OPS.moduleUnload,
  remove: OPS.moduleRemove,
};

/** What `tallystick module …` asks the broker, over a connection of the operator; the code of its error, or `ok`. */
export const changeModule = async (
  operator: NatsConnection,
  what: keyof typeof REQUESTS,
  body: Readonly<Record<string, unknown>>,
): Promise<{ readonly code: string; readonly message: string }> => {
  const reply = await operator.request(REQUESTS[what], JSON.stringify(body), { timeout: 60_000 });
  const { error } = reply.json<{ readonly error?: { readonly code: string; readonly message: string } }>();
  return error ?? { code: 'ok', message: '' };
};
