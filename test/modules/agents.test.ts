import { test } from 'node:test';
import agents from '../../modules/agents/index.js';
import { send } from '../../modules/sdk/index.js';
import { specification } from '../../testing/index.js';

const { manifest: agentsManifest } = agents;

const AT = '2026-02-03T04:05:06.000Z';
const ada = specification(agents).agent('ada');
const module = specification(agents).itself;
const spawned = { name: 'spawned' as const, data: { kind: 'planner', labels: { team: 'red' }, at: AT } };
const retired = { name: 'retired' as const, data: { at: AT } };
const assigned = (conversation: number) => ({ name: 'assigned' as const, data: { conversation } });
const enrolled = (agent: string) => ({ name: 'enrolled' as const, data: { agent } });

test('an agent is spawned with what is known of it, and is put on the list', () => {
  ada.when('spawn', { kind: 'planner', labels: { team: 'red' } }, { time: AT }).thenDecided({
    data: { kind: 'planner', labels: { team: 'red' } },
    events: [spawned],
    commands: [send(agentsManifest, 'enroll', undefined, { agent: 'ada' })],
  });
  ada.when('spawn', {}, { time: AT }).thenDecided({
    data: { kind: null, labels: {} },
    events: [{ name: 'spawned', data: { kind: null, labels: {}, at: AT } }],
    commands: [send(agentsManifest, 'enroll', undefined, { agent: 'ada' })],
  });
});

test('a label is a short text under a name', () => {
  ada.when('spawn', { labels: { 'a.b': 'x' } }).thenRejected('PAYLOAD_INVALID');
  ada.when('spawn', { labels: { a: 'x'.repeat(257) } }).thenRejected('PAYLOAD_INVALID');
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`l${n}`, '']));
  ada.when('spawn', { labels: many }).thenRejected('PAYLOAD_INVALID');
});

test('a name is used once', () => {
  ada.given([spawned]).when('spawn', {}).thenRejected('ALREADY_SPAWNED');
  ada.given([spawned, retired]).when('spawn', {}).thenRejected('RETIRED');
});

test('an agent that retires releases its conversations and is taken off the list', () => {
  ada
    .given([spawned, assigned(7), assigned(8)])
    .when('retire', {}, { time: AT })
    .thenDecided({
      data: { released: 2 },
      events: [retired],
      commands: [send(agentsManifest, 'strike', undefined, { agent: 'ada' })],
    });
  ada
    .given([spawned, assigned(7), retired])
    .when('info', {})
    .thenDecided({
      data: { status: 'retired', kind: 'planner', labels: { team: 'red' }, conversations: [], since: AT },
    });
});

test('what was never spawned or is retired does nothing', () => {
  for (const action of ['retire', 'assign', 'release'] as const) {
    ada.when(action, {}).thenRejected('NOT_SPAWNED');
    ada.given([spawned, retired]).when(action, {}).thenRejected('RETIRED');
  }
  ada.when('info', {}).thenRejected('NOT_SPAWNED');
});

test('a conversation is assigned once: the one that is named, or that of the command', () => {
  const agent = ada.given([spawned, assigned(7)]);
  agent
    .when('assign', { conversation: 9 })
    .thenDecided({ data: { conversation: 9, open: 2 }, events: [assigned(9)] });
  agent
    .when('assign', {}, { seq: 12, conversation: 3 })
    .thenDecided({ data: { conversation: 3, open: 2 }, events: [assigned(3)] });
  agent
    .when('assign', {}, { seq: 12 })
    .thenDecided({ data: { conversation: 12, open: 2 }, events: [assigned(12)] });
  agent.when('assign', { conversation: 7 }).thenRejected('ALREADY_ASSIGNED');
});

test('a conversation is released by who has it', () => {
  const agent = ada.given([spawned, assigned(7), assigned(8)]);
  agent.when('release', { conversation: 7 }).thenDecided({
    data: { conversation: 7, open: 1 },
    events: [{ name: 'released', data: { conversation: 7 } }],
    state: {
      agent: { status: 'active', kind: 'planner', labels: { team: 'red' }, conversations: [8], since: AT },
    },
  });
  agent.when('release', { conversation: 9 }).thenRejected('NOT_ASSIGNED');
});

test('an agent takes only so many conversations', () => {
  const many = Array.from({ length: 10_000 }, (_, n) => n + 1);
  const state = many.reduce(
    (before, conversation) => agents.evolve.assigned(before, { conversation }),
    agents.evolve.spawned({}, spawned.data),
  );
  const full = specification({ ...agents, initial: state }).agent('ada');
  full.when('assign', { conversation: 10_001 }).thenRejected('TOO_MANY_CONVERSATIONS');
});

test('the list is kept by the module itself, and an agent is on it once', () => {
  module.when('enroll', { agent: 'ada' }).thenDecided({ data: { total: 1 }, events: [enrolled('ada')] });
  module
    .given([enrolled('ada')])
    .when('enroll', { agent: 'ada' })
    .thenDecided({ data: { total: 1 } });
  module
    .given([enrolled('ada')])
    .when('strike', { agent: 'ada' })
    .thenDecided({ data: { total: 0 }, events: [{ name: 'struck', data: { agent: 'ada' } }] });
  module.when('strike', { agent: 'ada' }).thenDecided({ data: { total: 0 } });
  module.when('enroll', { agent: 'ada' }, { sender: 'guest' }).thenRejected('CALLER_FORBIDDEN');
});

test('agents are listed in order, by prefix and a page at a time', () => {
  const all = module.given(['b2', 'a1', 'b1', 'b3', 'c1'].map(enrolled));
  all
    .when('list', {})
    .thenDecided({ data: { agents: ['a1', 'b1', 'b2', 'b3', 'c1'], next: null, total: 5 } });
  all
    .when('list', { prefix: 'b', limit: 2 })
    .thenDecided({ data: { agents: ['b1', 'b2'], next: 'b2', total: 5 } });
  all
    .when('list', { prefix: 'b', limit: 2, after: 'b2' })
    .thenDecided({ data: { agents: ['b3'], next: null, total: 5 } });
  all.when('list', { prefix: 'x' }).thenDecided({ data: { agents: [], next: null, total: 5 } });
  all.when('list', { limit: 1001 }).thenRejected('PAYLOAD_INVALID');
});

test('a listing is of the module, not of an agent', () => {
  ada.when('list', {}).thenRejected('AGENT_UNEXPECTED');
  module.when('spawn', {}).thenRejected('AGENT_REQUIRED');
});
