import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineModule, ok, reject, Type } from '../../modules/sdk/index.js';
import { startInProcess } from '../../testing/in-process/in-process-tally.js';
import { specification } from '../../testing/specification/specification.js';

const Amount = Type.Object({ amount: Type.Integer(), customer: Type.String() });

const till = defineModule({
  name: 'till',
  version: '1.0.0',
  description: 'Takes money.',
  state: { total: 0 },
  events: {
    paid: { data: Amount, evolve: (state, { amount }) => ({ total: state.total + amount }) },
    closed: { data: Type.Object({}), evolve: (state) => state },
  },
  actions: {
    pay: { input: Amount, output: Type.Null(), decide: (_, paid) => ok(null, { paid }) },
    close: { input: Type.Object({}), output: Type.Null(), decide: () => ok(null, { closed: {} }) },
  },
});

const points = defineModule({
  name: 'points',
  version: '1.0.0',
  description: 'Counts points of customers.',
  state: { points: 0, last: '' },
  events: {
    earned: {
      data: Type.Object({ points: Type.Integer(), by: Type.String() }),
      evolve: (state, { points: more, by }) => ({ points: state.points + more, last: by }),
    },
  },
  on: {
    'till.paid': {
      data: Amount,
      agent: '/customer',
      decide: (state, { data, agent }) =>
        data.amount < 0
          ? reject('NEGATIVE', 'no points for that')
          : ok(null, { earned: { points: data.amount, by: `${agent}${state.last}` } }),
    },
    'till.>': {
      data: Type.Unknown(),
      to: 'module',
      run: async (_, { event }) => ok(null, { earned: { points: 1, by: event } }),
    },
  },
  actions: { show: { input: Type.Object({}), output: Type.Integer(), decide: ({ points: n }) => ok(n) } },
});

describe('on of defineModule', () => {
  it('derives the actions that handle the events', () => {
    const { on, actions } = points.manifest as unknown as {
      on: object;
      actions: Record<string, { callers?: string; agent?: string }>;
    };
    assert.deepEqual(on, {
      'till.paid': { action: 'on-till-paid', agent: '/customer' },
      'till.>': { action: 'on-till' },
    });
    assert.deepEqual(
      [actions['on-till-paid']?.callers, actions['on-till-paid']?.agent, actions['on-till']?.agent],
      ['events', 'required', 'none'],
    );
  });

  it('is tested with whenHeard', async () => {
    const ann = specification(points).agent('ann');
    ann.whenHeard('till.paid', { amount: 3, customer: 'ann' }, { agent: 'desk' }).thenDecided({
      events: [{ name: 'earned', data: { points: 3, by: 'desk' } }],
      state: { points: 3, last: 'desk' },
    });
    ann.whenHeard('till.paid', { amount: -3, customer: 'ann' }).thenRejected('NEGATIVE');
    ann.whenHeard('till.paid', { amount: 'three' }).thenRejected('PAYLOAD_INVALID');
    await specification(points)
      .itself.whenHeard('till.closed', {}, { agent: 'desk' })
      .answering(() => assert.fail('no call'))
      .thenDecided({ events: [{ name: 'earned', data: { points: 1, by: 'till.closed' } }] });
    assert.throws(() => ann.whenHeard('shop.sold', {}), /points does not listen to shop\.sold/);
  });

  it('works in one process, with the agent that the event names', async () => {
    await using tally = await startInProcess([till, points]);
    await tally.agent(till, 'desk').pay({ amount: 5, customer: 'ann' });
    await tally.agent(till, 'desk').pay({ amount: 7, customer: 'bob' });
    await tally.agent(till, 'desk').pay({ amount: 1, customer: 'no name!' });
    await tally.agent(till, 'desk').close({});
    await tally.idle();
    assert.deepEqual((await tally.state(points, 'ann'))?.state, { points: 5, last: 'desk' });
    assert.deepEqual((await tally.state(points, 'bob'))?.state, { points: 7, last: 'desk' });
    const results = tally.log.filter(
      ({ kind, module, name }) => kind === 'res' && module === 'points' && name === 'on-till-paid',
    );
    assert.deepEqual(
      results.map(({ data }) => (data as { status: string; error?: { code: string } }).error?.code ?? 'ok'),
      ['ok', 'ok', 'AGENT_REQUIRED'],
    );
    const heard = tally.log.find(({ subject }) => subject === 'cmd.points.on-till-paid.ann.__events');
    assert.deepEqual(heard?.conversation, 1);
  });

  it('lets only the broker send these actions', async () => {
    await using tally = await startInProcess([till, points]);
    const wild = tally.agent(points, 'ann') as unknown as Record<string, (data: object) => Promise<unknown>>;
    await assert.rejects(
      async () => wild['on-till-paid']?.({ event: 'till.paid', agent: 'x', seq: 1, time: 'x', data: {} }),
      /CALLER_FORBIDDEN|takes events from the broker only/,
    );
  });

  it('refuses a module that listens to itself', async () => {
    const loop = defineModule({
      name: 'loop',
      version: '1.0.0',
      description: 'Listens to itself.',
      state: {},
      events: { again: { data: Type.Object({}), evolve: (state) => state } },
      on: { 'loop.again': { data: Type.Object({}), decide: () => ok(null, { again: {} }) } },
      actions: {
        begin: { input: Type.Object({}), output: Type.Null(), decide: () => ok(null, { again: {} }) },
      },
    });
    await assert.rejects(startInProcess([loop]), /names its own events/);
  });
});
