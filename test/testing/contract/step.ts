import fc from 'fast-check';

/** What one client asks for. Names of people and stalls are short: a world makes its own names of them. */
export interface ContractCall {
  readonly module: 'market' | 'purse';
  readonly action: string;
  /** Absent: the module itself. */
  readonly agent?: string;
  readonly input: unknown;
  readonly priority?: string;
  /** Milliseconds from now. */
  readonly deadlineMs?: number;
  /** A key of the sender; a world makes its own name of it. */
  readonly key?: string;
}

/** One step of a scenario. The next one begins when nothing is left to do. */
export type ContractStep =
  | { readonly do: 'call'; readonly call: ContractCall }
  | { readonly do: 'send'; readonly call: ContractCall }
  /** Calls that are under way together. None of them can see what another one does. */
  | { readonly do: 'together'; readonly calls: readonly ContractCall[] }
  /** Calls of one agent that are under way together: they are handled in their order. */
  | { readonly do: 'queue'; readonly calls: readonly ContractCall[] }
  | { readonly do: 'schedule'; readonly call: ContractCall; readonly when: ContractWhen };

export type ContractWhen =
  | { readonly in: string }
  | { readonly every: string }
  | { readonly cron: string; readonly timezone?: string }
  /** Milliseconds from now. */
  | { readonly atMs: number };

export const PEOPLE = ['anna', 'bert', 'carl'] as const;
export const STALLS = ['east', 'west'] as const;

const person = fc.constantFrom(...PEOPLE);
const stall = fc.constantFrom(...STALLS);
const amount = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, 1.5, 'five', null, [1], {}) },
);
const input = (more: Record<string, fc.Arbitrary<unknown>>) => fc.record(more);

const ofPurse = fc.record({
  module: fc.constant('purse' as const),
  action: fc.constantFrom('add', 'add', 'take', 'look'),
  agent: person,
  input: fc.oneof(
    { weight: 8, arbitrary: input({ amount }) },
    { weight: 1, arbitrary: fc.anything({ maxDepth: 1, withBigInt: true }) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  ),
});

const atStall = (action: string, given: fc.Arbitrary<unknown>): fc.Arbitrary<ContractCall> =>
  fc.record({
    module: fc.constant('market' as const),
    action: fc.constant(action),
    agent: stall,
    input: given,
  });

const ofMarket = fc.oneof(
  atStall('sell', input({ to: person, price: amount })),
  atStall('forgive', input({ to: person, price: fc.integer({ min: 1, max: 40 }) })),
  atStall('compare', input({ people: fc.array(person, { maxLength: 4 }) })),
  atStall('gift', input({ to: fc.array(person, { maxLength: 3 }), amount })),
  atStall('begin', input({ steps: fc.integer({ min: -1, max: 4 }) })),
  atStall('chain', input({ steps: fc.integer({ min: 0, max: 1 }) })),
  atStall('flaky', fc.record({ name: person, times: fc.integer({ min: 0, max: 3 }) })),
  atStall(
    'break',
    input({
      how: fc.constantFrom('throw', 'late', 'output', 'fold', 'undeclared', 'code', 'self', 'no such way'),
    }),
  ),
);

const ofNobody: fc.Arbitrary<ContractCall> = fc.oneof(
  fc.record({
    module: fc.constant('market' as const),
    action: fc.constant('count'),
    input: fc.constantFrom({}, { n: 'x' }),
  }),
  fc.record({
    module: fc.constant('purse' as const),
    action: fc.constant('add'),
    agent: fc.constantFrom('', 'a b', 'a.b', '*', 'x'.repeat(65)),
    input: fc.constant({ amount: 1 }),
  }),
);

const call: fc.Arbitrary<ContractCall> = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: ofPurse },
      { weight: 6, arbitrary: ofMarket },
      { weight: 1, arbitrary: ofNobody },
    ),
    fc.option(fc.constantFrom('urgent', 'normal', 'soon'), { nil: undefined, freq: 8 }),
    fc.option(fc.constantFrom(-1_000, 3_600_000, Number.NaN), { nil: undefined, freq: 8 }),
    fc.option(fc.constantFrom('first', 'second', 'no key'), { nil: undefined, freq: 4 }),
  )
  .map(([asked, priority, deadlineMs, key]) => ({
    ...asked,
    ...(priority === undefined ? {} : { priority }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(key === undefined ? {} : { key }),
  }));

const ofOneAgent = person.chain((agent) =>
  fc.array(
    ofPurse.map((asked) => ({ ...asked, agent })),
    { minLength: 2, maxLength: 6 },
  ),
);

/** One call for each person: their states do not touch. */
const ofDifferentAgents = fc
  .array(fc.tuple(ofPurse, fc.boolean()), { minLength: PEOPLE.length, maxLength: PEOPLE.length })
  .map((all) => all.map(([asked], i) => ({ ...asked, agent: PEOPLE[i] as string })));

const step: fc.Arbitrary<ContractStep> = fc.oneof(
  { weight: 8, arbitrary: call.map((asked) => ({ do: 'call' as const, call: asked })) },
  { weight: 3, arbitrary: call.map((asked) => ({ do: 'send' as const, call: asked })) },
  { weight: 1, arbitrary: ofDifferentAgents.map((calls) => ({ do: 'together' as const, calls })) },
  { weight: 1, arbitrary: ofOneAgent.map((calls) => ({ do: 'queue' as const, calls })) },
);

export const scenarios = fc.array(step, { minLength: 1, maxLength: 12 });
