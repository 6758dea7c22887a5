import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CommandPolicy } from '../../../../modules/host/schedule/command-policy.js';
import { PROJECT_ROOT } from '../../../support/project-root.js';

/**
 * A command by its name: its agent, then its sequence. `a1` and `a2` are of one agent, and `a1` stands before `b2` in the log.
 * An effectful handler of the agents `x` and `y` is of the action `pay` (two at a time), of any other agent of `mail` (one).
 */
const commandOf = (name: string) => ({ seq: Number(name.slice(1)), agent: name.charAt(0) });
const handlerOf = (name: string) => ({
  ...commandOf(name),
  action: /^[xy]/.test(name) ? 'pay' : 'mail',
  name,
});

interface Rig {
  readonly policy: CommandPolicy<
    { seq: number; agent: string; sender?: string },
    ReturnType<typeof handlerOf>
  >;
  /** Handlers that run. */
  readonly running: Map<string, ReturnType<typeof handlerOf>>;
}

type Step = (rig: Rig) => void;
const each =
  (what: (rig: Rig, name: string) => void) =>
  (...names: readonly string[]): Step =>
  (rig) => {
    for (const name of names) what(rig, name);
  };

/** What happens. */
const delivered = each(({ policy }, name) => policy.received(commandOf(name), false));
const deliveredFrom = (sender: string, ...names: readonly string[]): Step => {
  const from = each(({ policy }, name) => policy.received({ ...commandOf(name), sender }, false));
  return from(...names);
};
const urgent = each(({ policy }, name) => policy.received(commandOf(name), true));
const stored = each(({ policy }, name) => {
  policy.over(commandOf(name));
  policy.hasResult(commandOf(name).seq);
});
const known = each(({ policy }, name) => policy.hasResult(commandOf(name).seq));
const wants = each(({ policy }, name) => assert.equal(policy.wants(handlerOf(name)), true));
const refuses = each(({ policy }, name) => assert.equal(policy.wants(handlerOf(name)), false));
const over = each(({ policy }, name) => policy.over(commandOf(name)));
const ended = each(({ policy, running }, name) => {
  const handler = running.get(name);
  assert.ok(handler !== undefined, `${name} does not run`);
  running.delete(name);
  policy.handlerEnded(handler);
});
const failed = each((rig, name) => {
  ended(name)(rig);
  rig.policy.acquit(commandOf(name).seq);
});
const calls =
  (more: number): Step =>
  ({ policy }) =>
    policy.ownCalls(more);
const restarts: Step = ({ policy }) => policy.restart();

/** What the policy says then. These have their turn now, in this order, and no other has. */
const turns =
  (...names: readonly string[]): Step =>
  ({ policy }) => {
    const had: string[] = [];
    for (let next = policy.nextTurn(); next !== undefined; next = policy.nextTurn())
      had.push(`${next.agent}${next.seq}`);
    assert.deepEqual(had, names, 'turns');
  };
/** One turn: the slice of time ends behind it. */
const oneTurn =
  (name: string): Step =>
  ({ policy }) => {
    const next = policy.nextTurn();
    assert.equal(`${next?.agent}${next?.seq}`, name, 'turn');
  };
const handlers =
  (...names: readonly string[]): Step =>
  ({ policy, running }) => {
    const began: string[] = [];
    for (let next = policy.nextHandler(); next !== undefined; next = policy.nextHandler()) {
      running.set(next.name, next);
      began.push(next.name);
    }
    assert.deepEqual(began, names, 'handlers');
  };
const drains =
  (...dropped: readonly string[]): Step =>
  ({ policy }) =>
    assert.deepEqual(
      policy.drain().map(({ name }) => name),
      dropped,
      'dropped',
    );
const stalled =
  (is: boolean): Step =>
  ({ policy }) =>
    assert.equal(policy.isStalled, is, 'stalled');
const inHand =
  (count: number): Step =>
  ({ policy }) =>
    assert.equal(policy.inHand, count, 'in hand');

interface Row {
  /** As docs/internals/architecture.md has it. */
  readonly rule: string;
  readonly culprit?: number;
  readonly suspects?: readonly number[];
  readonly steps: readonly Step[];
}

const POLICY: readonly Row[] = [
  {
    rule: 'An agent has one command at a time, in the order of the log. The next one waits for the stored result.',
    steps: [delivered('a1', 'a2', 'a3'), turns('a1'), stored('a1'), turns('a2'), stored('a2'), turns('a3')],
  },
  {
    rule: 'Agents do not wait for each other.',
    steps: [
      delivered('a1', 'a2', 'b3', 'c4'),
      turns('a1', 'b3', 'c4'),
      stored('b3'),
      turns(),
      stored('a1'),
      turns('a2'),
    ],
  },
  {
    rule: 'An agent with an urgent command goes before agents without one. Its commands keep their order.',
    steps: [
      delivered('a1', 'b2', 'c3', 'c4'),
      urgent('c5'),
      delivered('c6'),
      oneTurn('c3'),
      stored('c3'),
      oneTurn('c4'),
      stored('c4'),
      oneTurn('c5'),
      stored('c5'),
      // Nothing of it is urgent now: it is behind the others.
      turns('a1', 'b2', 'c6'),
    ],
  },
  {
    rule: 'The senders of commands that wait take turns, one command each. Commands of one sender keep their order.',
    steps: [
      deliveredFrom('flood', 'a1', 'b2', 'c3'),
      deliveredFrom('ci', 'd4', 'e5'),
      deliveredFrom('shop', 'f6'),
      turns('a1', 'd4', 'f6', 'b2', 'e5', 'c3'),
    ],
  },
  {
    rule: 'Turns come in slices of time. Between two slices the host reads its connection, so an urgent command is seen.',
    steps: [delivered('a1', 'b2', 'c3'), oneTurn('a1'), urgent('d4'), oneTurn('d4'), turns('b2', 'c3')],
  },
  {
    rule: 'An effectful action runs at most as many handlers at a time as its manifest says.',
    steps: [
      wants('x1', 'y2', 'x3', 'z4', 'w5'),
      handlers('x1', 'y2', 'z4'),
      ended('y2'),
      handlers('x3'),
      ended('z4', 'x1'),
      handlers('w5'),
    ],
  },
  {
    rule: 'A handler of an agent with an urgent command gets the next free place.',
    steps: [
      wants('z1', 'w2', 'v3'),
      handlers('z1'),
      urgent('v4'),
      ended('z1'),
      handlers('v3'),
      known('v4'),
      ended('v3'),
      handlers('w2'),
    ],
  },
  {
    rule: 'A pure decider needs no place: it decides in its turn, however many handlers run.',
    steps: [wants('z1', 'w2'), handlers('z1'), delivered('a3', 'b4'), turns('a3', 'b4')],
  },
  {
    rule: 'If a command ended the process before, all later commands wait until that command has its result.',
    culprit: 5,
    steps: [
      delivered('a3', 'b5', 'c6', 'd9'),
      turns('a3', 'b5'),
      stored('a3'),
      turns(),
      stored('b5'),
      turns('c6', 'd9'),
      delivered('e10'),
      turns('e10'),
    ],
  },
  {
    rule: 'If that command is not delivered again, no command waits for it.',
    culprit: 5,
    steps: [delivered('a3', 'b7', 'c8'), turns('a3', 'b7', 'c8')],
  },
  {
    rule: 'If it is delivered again in a later session, commands wait for it again.',
    culprit: 5,
    steps: [
      delivered('b5', 'c6'),
      turns('b5'),
      restarts,
      delivered('b5', 'c6'),
      turns('b5'),
      stored('b5'),
      turns('c6'),
    ],
  },
  {
    rule: 'Handlers that may have ended the process before run one by one. No other handler runs before all of them have ended.',
    suspects: [2, 4],
    steps: [
      wants('x1', 'y2', 'x3', 'z4'),
      handlers('y2'),
      ended('y2'),
      handlers('z4'),
      known('y2'),
      handlers(),
      ended('z4'),
      handlers(),
      known('z4'),
      handlers('x1', 'x3'),
    ],
  },
  {
    rule: 'A handler that failed and is tried again is no suspect any more.',
    suspects: [2],
    steps: [wants('x1', 'y2'), handlers('y2'), failed('y2'), handlers('x1'), wants('y2'), handlers('y2')],
  },
  {
    rule: 'If all handlers wait for commands of the module itself, the host takes more commands into memory.',
    steps: [
      wants('x1', 'z2'),
      stalled(false),
      handlers('x1', 'z2'),
      calls(1),
      stalled(false),
      calls(1),
      stalled(true),
      calls(-1),
      stalled(false),
    ],
  },
  {
    rule: 'A stopping module begins no turn and no handler. Commands in hand end.',
    steps: [
      delivered('a1', 'a2', 'b3', 'x4', 'z5', 'w6'),
      turns('a1', 'b3', 'x4', 'z5', 'w6'),
      wants('x4', 'z5', 'w6'),
      handlers('x4', 'z5'),
      drains('w6'),
      inHand(5),
      ended('x4'),
      stored('x4', 'a1'),
      over('w6'),
      delivered('c7'),
      turns(),
      handlers(),
      refuses('y8'),
      inHand(2),
      drains(),
    ],
  },
  {
    rule: 'In a new session all commands without a result are delivered again. A handler that runs keeps its place.',
    steps: [
      delivered('z1', 'w2', 'w3', 'a4'),
      turns('z1', 'w2', 'a4'),
      wants('z1', 'w2'),
      handlers('z1'),
      restarts,
      inHand(0),
      delivered('z1', 'w2', 'w3', 'a4'),
      turns('z1', 'w2', 'a4'),
      handlers(),
      ended('z1'),
      handlers('w2'),
    ],
  },
];

const run = ({ culprit, suspects = [], steps }: Omit<Row, 'rule'>): void => {
  const placesOf = (action: string): number => (action === 'pay' ? 2 : 1);
  const rig: Rig = { policy: new CommandPolicy({ culprit, suspects, placesOf }), running: new Map() };
  for (const step of steps) step(rig);
};

describe('when a command runs', () => {
  for (const { rule, ...row } of POLICY) it(rule, () => run(row));

  it('docs/internals/architecture.md has the same rules', () => {
    const text = readFileSync(join(PROJECT_ROOT, 'docs', 'internals', 'architecture.md'), 'utf8');
    const [, section = ''] = text.split(/^## When a command runs$/m);
    const rules = [
      ...section
        .split(/^## /m, 1)
        .join('')
        .matchAll(/^\d+\. (.*(?:\n {3}.*)*)/gm),
    ];
    assert.deepEqual(
      rules.map(([, rule = '']) => rule.replaceAll(/\s+/g, ' ')),
      POLICY.map(({ rule }) => rule),
    );
  });
});

describe('any order of events', () => {
  it('I5 gives each command one turn, an agent one at a time and in order', () => {
    const aStep = fc.oneof(
      fc.record({ agent: fc.constantFrom('a', 'b', 'c'), urgent: fc.boolean() }),
      fc.constant('turn' as const),
      fc.constantFrom('a', 'b', 'c'),
    );
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 120 }), (steps) => {
        const policy = new CommandPolicy({ culprit: undefined, suspects: [], placesOf: () => 1 });
        const sent = new Map<string, number[]>();
        const had = new Map<string, number[]>();
        const busy = new Map<string, { seq: number; agent: string }>();
        const turn = (): void => {
          const command = policy.nextTurn();
          if (command === undefined) return;
          assert.ok(!busy.has(command.agent), 'one at a time');
          busy.set(command.agent, command);
          had.set(command.agent, [...(had.get(command.agent) ?? []), command.seq]);
        };
        const end = (agent: string): void => {
          const command = busy.get(agent);
          if (command === undefined) return;
          busy.delete(agent);
          policy.over(command);
          policy.hasResult(command.seq);
        };
        for (const [seq, step] of steps.entries()) {
          if (step === 'turn') turn();
          else if (typeof step === 'string') end(step);
          else {
            policy.received({ seq, agent: step.agent }, step.urgent);
            sent.set(step.agent, [...(sent.get(step.agent) ?? []), seq]);
          }
        }
        for (const _ of steps) {
          turn();
          for (const agent of [...busy.keys()]) end(agent);
        }
        for (const agent of ['a', 'b', 'c']) assert.deepEqual(had.get(agent), sent.get(agent));
        assert.equal(policy.inHand, 0);
      }),
    );
  });

  it('runs never more handlers of an action than it has places, and the first that came first', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 60 }),
        (places, steps) => {
          const policy = new CommandPolicy<never, ReturnType<typeof handlerOf>>({
            culprit: undefined,
            suspects: [],
            placesOf: () => places,
          });
          const began: ReturnType<typeof handlerOf>[] = [];
          let [asked, over] = [0, 0];
          for (const isNew of steps) {
            if (isNew) policy.wants(handlerOf(`x${asked++}`));
            else if (over < began.length) policy.handlerEnded(began[over++] as ReturnType<typeof handlerOf>);
            for (let next = policy.nextHandler(); next !== undefined; next = policy.nextHandler())
              began.push(next);
            assert.deepEqual(
              began.map(({ seq }) => seq),
              [...Array(Math.min(asked, over + places)).keys()],
            );
          }
        },
      ),
    );
  });
});
