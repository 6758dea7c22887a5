import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import accounts from '../../modules/accounts/index.js';
import { type Account, CEILING, EMPTY, outgoingTotal } from '../../modules/accounts/accounts-state.js';
import type { AnyModule, Send } from '../../modules/sdk/module-shape.js';
import type { AnyDecision } from '../../modules/sdk/checked-outcome.js';

const AGENTS = ['alice', 'bob', 'carol'];
const agent = fc.constantFrom(...AGENTS);
const amount = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1e12 }));

/** What somebody outside does, or the delivery of one of the commands that wait, whichever comes then. */
type Step =
  | { readonly do: 'deposit' | 'withdraw'; readonly agent: string; readonly amount: number }
  | { readonly do: 'transfer'; readonly agent: string; readonly to: string; readonly amount: number }
  | { readonly do: 'deliver'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('deposit' as const, 'withdraw' as const), agent, amount }),
  fc.record({ do: fc.constant('transfer' as const), agent, to: agent, amount }),
  fc.record({ do: fc.constant('deliver' as const), which: fc.nat() }),
);

/** Accounts that start near the ceiling, so that credits are refused as often as they are taken. */
const start = fc.array(fc.constantFrom(0, 10, CEILING - 10, CEILING), { minLength: 3, maxLength: 3 });

const { actions, evolve } = accounts as unknown as AnyModule;

class Bank {
  readonly accounts = new Map<string, Account>();
  /** Sent and not yet handled. Any order is possible between agents; here, also within one. */
  readonly waiting: Send[] = [];
  /** What came from outside, less what went there. */
  brought = 0n;
  refused = 0;
  #seq = 0;

  constructor(balances: readonly number[]) {
    AGENTS.forEach((name, i) => {
      const balance = balances[i] ?? 0;
      this.accounts.set(name, { ...EMPTY, balance });
      this.brought += BigInt(balance);
    });
  }

  handle(name: string, action: string, data: unknown): AnyDecision | undefined {
    const state = this.accounts.get(name) ?? EMPTY;
    const handler = actions[action];
    assert(handler !== undefined && 'decide' in handler);
    this.#seq += 1;
    const command = { seq: this.#seq, time: '', agent: name, sender: 'test', conversation: 1, data };
    const outcome = handler.decide(state, command);
    if (isLeft(outcome)) return undefined;
    const decision = outcome.right as AnyDecision;
    const next = (decision.events ?? []).reduce<unknown>(
      (s, event) => evolve[event.name]?.(s, event.data),
      state,
    );
    this.accounts.set(name, next as Account);
    this.waiting.push(...(decision.commands ?? []));
    return decision;
  }

  deliver(which: number): void {
    const [command] = this.waiting.splice(which % Math.max(1, this.waiting.length), 1);
    if (command === undefined) return;
    const decision = this.handle(command.agent ?? '', command.name, command.data);
    // A rejection would leave the money on its way for ever.
    assert(decision !== undefined, `${command.name} was rejected`);
    if (command.name === 'credit' && (decision.data as { accepted: boolean }).accepted === false)
      this.refused += 1;
  }

  take(step: Step): void {
    if (step.do === 'deliver') this.deliver(step.which);
    else if (step.do === 'transfer')
      this.handle(step.agent, 'transfer', { to: step.to, amount: step.amount });
    else if (this.handle(step.agent, step.do, { amount: step.amount }) !== undefined) {
      this.brought += step.do === 'deposit' ? BigInt(step.amount) : -BigInt(step.amount);
    }
  }

  /** In whole numbers without a limit: the sum of several accounts is above what a double holds exactly. */
  total(): bigint {
    return [...this.accounts.values()].reduce((sum, { balance }) => sum + BigInt(balance), 0n);
  }

  assertWithinCeiling(): void {
    for (const [name, account] of this.accounts) {
      assert(account.balance >= 0, name);
      assert(BigInt(account.balance) + BigInt(outgoingTotal(account)) <= BigInt(CEILING), name);
    }
  }
}

test('money is neither made nor lost, in whatever order commands arrive, and no account holds what is inexact', () => {
  let refused = 0;
  fc.assert(
    fc.property(
      start,
      fc.array(step, { maxLength: 60 }),
      fc.infiniteStream(fc.nat()),
      (balances, steps, order) => {
        const bank = new Bank(balances);
        for (const one of steps) {
          bank.take(one);
          bank.assertWithinCeiling();
        }
        for (const which of order) {
          if (bank.waiting.length === 0) break;
          bank.deliver(which);
          bank.assertWithinCeiling();
        }
        assert.equal(bank.total(), bank.brought);
        for (const account of bank.accounts.values()) assert.deepEqual(account.outgoing, {});
        refused += bank.refused;
      },
    ),
    { numRuns: 500 },
  );
  assert(refused > 0, 'no run met the ceiling');
});
