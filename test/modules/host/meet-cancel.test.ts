import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import type { Draft } from '../../../journal/append/draft.js';
import { CancelMeeting } from '../../../modules/host/meet-cancel.js';
import type { Command } from '../../../modules/sdk/module-shape.js';
import { type CancelledCommand, cancelledRefusal } from '../../../schemas/cancel.js';
import type { CancelledStep } from '../../../schemas/step.js';

const COMMAND = 7;
const CANCEL = 20;
const CHILD = 30;

interface Plan {
  /** Operations of the handler, and what it makes once one was cancelled: outside of a saga or by one. */
  readonly operations: number;
  readonly undo: number;
  readonly isSaga: boolean;
  /** The call that the cancel cancels too; 0: none. */
  readonly child: number;
  /** The cancel comes before the operation that is the so-manieth of all runs. */
  readonly cancelAt: number;
  /** When the module knows of it, operation by operation of all runs; it knows for ever after that. */
  readonly told: readonly boolean[];
  /** Each run but the last dies at its so-manieth event. */
  readonly deaths: readonly number[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  operations: fc.integer({ min: 1, max: 7 }),
  undo: fc.integer({ min: 0, max: 4 }),
  isSaga: fc.boolean(),
  child: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 7 })),
  cancelAt: fc.integer({ min: 0, max: 12 }),
  told: fc.array(fc.boolean(), { maxLength: 20 }),
  deaths: fc.array(fc.integer({ min: 0, max: 24 }), { maxLength: 4 }),
});

class Died extends Error {}

/** The log and the machine around the runs of one handler. */
class World {
  /** Operations by their numbers. */
  readonly log = new Map<number, 'made' | 'cancelled'>();
  /** Where any run learned of the cancel. */
  readonly seen = new Set<number>();
  #isChildCancelled = false;
  #isChildAnswered = false;
  #operations = 0;
  #events = 0;
  #dies = Number.POSITIVE_INFINITY;

  constructor(readonly plan: Plan) {}

  get isCancelled(): boolean {
    return this.#operations > this.plan.cancelAt;
  }

  get cancel(): CancelledCommand {
    return { command: COMMAND, cancel: CANCEL, ...(this.#isChildCancelled ? { children: [CHILD] } : {}) };
  }

  /** Something of a run, behind which it may die. */
  event(): void {
    this.#events += 1;
    if (this.#events > this.#dies) throw new Died();
  }

  meeting(isAgain: boolean): CancelMeeting {
    return new CancelMeeting({
      cancels: {
        of: () => (this.isCancelled && (this.plan.told[this.#operations] ?? true) ? this.cancel : undefined),
      },
      steps: {
        at: ({ call }) =>
          Promise.resolve(
            this.log.get(call) === 'cancelled'
              ? { seq: 40, step: { name: `op ${call}`, status: 'cancelled', cancel: CANCEL, attempts: 1 } }
              : {},
          ),
        store: ({ call }, { data }: Draft) => {
          this.event();
          assert.equal((JSON.parse(Buffer.from(data).toString()) as CancelledStep).cancel, CANCEL);
          assert.ok(!this.log.has(call), `${call} is in the log`);
          this.log.set(call, 'cancelled');
          this.event();
          return Promise.resolve(E.right(40 + call));
        },
      },
      command: { seq: COMMAND } as Command,
      isAgain,
      mayHaveBegun: isAgain,
      recorded: () =>
        Promise.resolve({
          calls: Math.max(0, ...this.log.keys()),
          ...(this.isCancelled
            ? { cancelled: this.cancel, isCancelMet: [...this.log.values()].includes('cancelled') }
            : {}),
        }),
      draftOf: (_, data) => ({ subject: 'step.m.a.x', data, headers: {} }) as unknown as Draft,
      isOver: () => false,
    });
  }

  /** One operation of a run; whether it was cancelled. */
  async operation(meeting: CancelMeeting, call: number): Promise<boolean> {
    this.#operations += 1;
    this.event();
    const answer = await meeting.at({ call, name: `op ${call}` });
    if (answer !== undefined) {
      assert.deepEqual(answer.said, E.left(cancelledRefusal(CANCEL)));
      this.seen.add(call);
      return true;
    }
    const recorded = this.log.get(call);
    assert.notEqual(recorded, 'cancelled', `${call} was cancelled in a run before`);
    this.event();
    this.log.set(call, 'made');
    this.event();
    // A cancel that comes while it is under way cancels it too. Its result is what every run gets.
    if (call !== this.plan.child || call > this.plan.operations) return false;
    const before = this.isCancelled;
    if (recorded === undefined || !this.#isChildAnswered) this.#operations += 1;
    if (!this.#isChildAnswered) this.#isChildCancelled ||= !before && this.isCancelled;
    this.event();
    this.#isChildAnswered = true;
    if (!this.#isChildCancelled) return false;
    meeting.callCancelled(CHILD);
    this.seen.add(call);
    return true;
  }

  async run(isAgain: boolean, dies: number): Promise<void> {
    const { operations, undo, isSaga } = this.plan;
    this.#events = 0;
    this.#dies = dies;
    const meeting = this.meeting(isAgain);
    let call = 0;
    while (call < operations) {
      call += 1;
      if (!(await this.operation(meeting, call))) continue;
      const undoing = async (): Promise<void> => {
        for (let n = 1; n <= undo; n++)
          assert.equal(await this.operation(meeting, call + n), false, 'a compensation was cancelled');
      };
      await (isSaga ? meeting.shielded(undoing) : undoing());
      return;
    }
  }
}

test('I11 a handler meets a cancel once, at the same operation in each run, and nothing behind it is cancelled', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const world = new World(plan);
      for (const [i, dies] of [...plan.deaths, Number.POSITIVE_INFINITY].entries())
        await world.run(i > 0, dies).catch((error: unknown) => {
          if (!(error instanceof Died)) throw error;
        });
      const cancelled = [...world.log].filter(([, status]) => status === 'cancelled').map(([call]) => call);
      assert.ok(cancelled.length <= 1 && world.seen.size <= 1, `${cancelled} ${[...world.seen]}`);
      const [at] = world.seen;
      assert.equal(world.log.size, at === undefined ? plan.operations : at + plan.undo);
    }),
    { numRuns: 2_000 },
  );
});

test('a handler that runs meets a cancel at its next operation, and one that runs again at the one behind it', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (given) => {
      // The module knows of it at once.
      const plan: Plan = { ...given, child: 0, told: [], cancelAt: given.cancelAt % given.operations };
      const [first, again] = [new World({ ...plan, deaths: [] }), new World(plan)];
      await first.run(false, Number.POSITIVE_INFINITY);
      assert.deepEqual([...first.seen], [plan.cancelAt + 1]);
      await again.run(true, Number.POSITIVE_INFINITY);
      const behind = Math.max(2, plan.cancelAt + 1);
      assert.deepEqual([...again.seen], behind <= plan.operations ? [behind] : []);
    }),
    { numRuns: 500 },
  );
});
