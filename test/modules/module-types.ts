import type * as entry from '../../modules/entry.js';
import {
  type ActionCall,
  type Call,
  type CodeOf,
  type CommandProducer,
  connect,
  defineModule,
  ok,
  reject,
  send,
  type Tally,
  Type,
} from '../../modules/entry.js';

/**
 * What the types of a module must accept and refuse. The build compiles this file; `package.test.ts` compiles it against
 * the installed package, under other settings of TypeScript. It is never run.
 */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_ extends true>(): void => undefined;

const HOUSE = 100;
const Seats = Type.Object({ seats: Type.Integer({ minimum: 1 }) });

export const tickets = defineModule({
  name: 'tickets',
  version: '1.0.0',
  description: 'Sells the seats of shows, and never more than there are.',
  state: { sold: 0, open: true },
  events: {
    sold: { data: Seats, evolve: (state, { seats }) => ({ ...state, sold: state.sold + seats }) },
    closed: {
      data: Type.Object({ why: Type.Enum(['late', 'full']), names: Type.Array(Type.String()) }),
      evolve: (state) => ({ ...state, open: false }),
    },
  },
  actions: {
    sell: {
      input: Seats,
      output: Type.Object({ left: Type.Integer() }),
      rejections: ['SOLD_OUT', 'CLOSED'],
      decide: ({ sold, open }, { seats }, { agent }) => {
        if (!open) return reject('CLOSED', `${agent} is closed`);
        return sold + seats > HOUSE
          ? reject('SOLD_OUT', `${HOUSE - sold} seats are left`)
          : ok({ left: HOUSE - sold - seats }, { sold: { seats } });
      },
    },
    close: {
      agent: 'none',
      input: Type.Object({ show: Type.String() }),
      output: Type.Object({ names: Type.Array(Type.String()), how: Type.Enum(['now', 'later']) }),
      decide: (_, { show }, { time, self }) =>
        ok(
          { names: [time], how: 'now' },
          [{ closed: { why: 'late', names: ['a'] } }, { sold: { seats: 2 } }],
          [send(self, 'sell', show, { seats: 1 })],
        ),
    },
    move: {
      input: Type.Object({ to: Type.String() }),
      output: Type.Integer(),
      run: async ({ sold }, { to }, { call, emit, self, signal }) => {
        if (signal.aborted) return reject('TOO_LATE', 'the time is over');
        emit('closed', { why: 'full', names: [] });
        const { left } = await call(self, 'sell', to, { seats: sold });
        const { names } = await call(self, 'close', { show: to });
        return ok(left + names.length);
      },
    },
  },
});

type Manifest = typeof tickets.manifest;
holds<Equal<Manifest['name'], 'tickets'>>();
holds<Equal<typeof tickets.initial, { sold: number; open: boolean }>>();
holds<Equal<'SOLD_OUT' extends CodeOf<Manifest, 'sell'> ? true : false, true>>();
holds<Equal<'NOT_DECLARED' extends CodeOf<Manifest, 'sell'> ? true : false, false>>();
holds<Equal<CodeOf<Manifest, 'move'>, string>>();

/** A state whose first value does not show its type, no events, and a call of another module. */
interface Orders {
  readonly last?: string;
}
const noOrders: Orders = {};
export const orders = defineModule({
  name: 'orders',
  version: '1.0.0',
  description: 'Orders seats.',
  dependencies: { tickets: ['sell', 'close'] },
  state: noOrders,
  actions: {
    order: {
      input: Type.Object({ show: Type.String() }),
      output: Type.Union([Type.Integer(), Type.Null()]),
      run: async ({ last }, { show }, { call }) => {
        const said = await call.try(tickets, 'sell', last ?? show, { seats: 1 });
        if (said._tag === 'Right') return ok(said.right.left);
        // @ts-expect-error the action does not declare this code
        if (said.left.code === 'NOT_DECLARED') return ok(0);
        return said.left.code === 'SOLD_OUT' ? ok(null) : reject('NO_SEAT', said.left.message);
      },
    },
    wrong: {
      input: Type.Object({}),
      output: Type.Null(),
      run: async (_state, _input, { call, emit }) => {
        // @ts-expect-error the module has no such action
        await call(tickets, 'sel', 'hamlet', { seats: 1 });
        // @ts-expect-error the action is for an agent
        await call(tickets, 'sell', { seats: 1 });
        // @ts-expect-error the action is for the module itself
        await call(tickets, 'close', 'hamlet', { show: 'hamlet' });
        // @ts-expect-error the input needs a number
        await call(tickets, 'sell', 'hamlet', { seats: 'two' });
        // @ts-expect-error this module has no event
        emit('sold', {});
        return ok(null);
      },
    },
  },
});

/** What a program gets of the same types. */
export const callers = async (): Promise<void> => {
  await using tally = await connect();
  const hamlet = tally.agent(tickets, 'hamlet');
  const { left } = await hamlet.sell({ seats: 2 }, { timeoutMs: 1_000, priority: 'urgent' });
  holds<Equal<typeof left, number>>();
  const said = await hamlet.sell.try({ seats: 2 });
  if (said._tag === 'Left') {
    if (said.left.code === 'SOLD_OUT' || said.left.code === 'BROKER_UNREACHABLE') return;
    // @ts-expect-error the action does not declare this code
    if (said.left.code === 'NOT_DECLARED') return;
  } else holds<Equal<typeof said.right, { left: number }>>();
  const { names, how } = await tally.module(tickets).close({ show: 'hamlet' });
  holds<Equal<typeof names, string[]>>();
  holds<Equal<typeof how, 'now' | 'later'>>();
  const found = await tally.state(tickets, 'hamlet');
  const sold = found?.state.sold;
  holds<Equal<typeof sold, number | undefined>>();
  const { next } = await hamlet.sell.schedule({ seats: 1 }, { cron: '0 9 * * *', timezone: 'Europe/Berlin' });
  holds<Equal<typeof next, string>>();
  await using producer = await tally.producer({ name: 'box-office' });
  const { seq, n } = await producer.send(tickets, 'sell', 'hamlet', { seats: 1 });
  holds<Equal<typeof seq | typeof n, number>>();
  // @ts-expect-error the action is for the module itself
  hamlet.close;
  // @ts-expect-error the action is for an agent
  tally.module(tickets).sell;
  // @ts-expect-error the input needs a number
  await hamlet.sell({ seats: 'two' });
  // @ts-expect-error the input may not be left out
  await hamlet.sell();
  // @ts-expect-error one time, and not two
  await hamlet.sell.schedule({ seats: 1 }, { in: '1h', cron: '@daily', of: 1 });
};

/**
 * The functions of a type that do not return a promise. A linter sees a call that is not awaited only if its type is a
 * promise: typescript-eslint's `no-floating-promises` found each of 13 such calls, with TypeScript 6.0.
 */
type Unpromised<T> = Exclude<
  {
    [K in keyof T]: T[K] extends (...given: never) => infer R
      ? R extends Promise<unknown>
        ? never
        : K
      : never;
  }[keyof T],
  symbol
>;
holds<Equal<Unpromised<typeof entry>, 'defineManifest' | 'defineModule' | 'ok' | 'reject' | 'send'>>();
holds<Equal<Unpromised<Tally>, 'agent' | 'module' | 'subscribe'>>();
holds<Equal<Unpromised<CommandProducer>, never>>();
type Sell = ActionCall<{ seats: number }, { left: number }, 'SOLD_OUT'>;
holds<Equal<Unpromised<Sell & { itself: Sell }>, never>>();
holds<Equal<Unpromised<Call & { itself: Call }>, never>>();

const base = { name: 'wrong', version: '1.0.0', description: 'What does not fit.', state: { n: 0 } };
const added = { data: Type.Object({ by: Type.Integer() }) };

defineModule({
  ...base,
  // @ts-expect-error the state has a number
  events: { added: { ...added, evolve: (_: { n: number }, { by }: { by: number }) => ({ n: `${by}` }) } },
  actions: {},
});

defineModule({
  ...base,
  events: { added: { ...added, evolve: ({ n }, { by }) => ({ n: n + by }) } },
  actions: {
    // @ts-expect-error the output is a number
    output: { input: Type.Object({}), output: Type.Integer(), decide: () => ok('two') },
    event: {
      input: Type.Object({}),
      output: Type.Null(),
      // @ts-expect-error there is no such event
      decide: () => ok(null, { removed: { by: 1 } }),
    },
    data: {
      input: Type.Object({}),
      output: Type.Null(),
      // @ts-expect-error the event carries a number
      decide: () => ok(null, { added: { by: 'two' } }),
    },
    code: {
      input: Type.Object({}),
      output: Type.Null(),
      rejections: ['NO'],
      // @ts-expect-error the code is not declared
      decide: () => reject('NEVER', 'no'),
    },
    // @ts-expect-error an action has one handler
    both: { input: Type.Object({}), output: Type.Null(), decide: () => ok(null), run: async () => ok(null) },
    // @ts-expect-error an action has a handler
    none: { input: Type.Object({}), output: Type.Null() },
  },
});
