import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CommandScheduler,
  type WaitingHandler,
} from '../../../../modules/host/schedule/command-scheduler.js';
import { waitFor } from '../../../support/wait-for.js';

interface Command {
  readonly seq: number;
  readonly agent: string;
}

const NO_SHELF = { put: () => undefined, take: () => undefined };

const schedulerFor = (begin: (command: Command) => void, onStalled = (): void => undefined) => {
  const options = { culprit: undefined, suspects: [], placesOf: () => 1 };
  const scheduler = new CommandScheduler<Command>(options, onStalled);
  scheduler.restart({ begin, shelf: NO_SHELF });
  return scheduler;
};

const handlerOf = (seq: number, told: string[], begin = (): void => undefined): WaitingHandler => ({
  seq,
  agent: 'a',
  action: 'pay',
  begin: () => {
    told.push(`begin ${seq}`);
    begin();
  },
  drop: () => told.push(`drop ${seq}`),
});

describe('the scheduler', () => {
  it('gives a command its turn at once where none waits, and the others in a slice', async () => {
    const had: number[] = [];
    const scheduler = schedulerFor(({ seq }) => had.push(seq));
    for (const [seq, agent] of ['a', 'b', 'c'].entries()) scheduler.received({ seq, agent }, false);
    assert.deepEqual(had, [0]);
    await waitFor('the others', () => had.length === 3);
    assert.deepEqual(had, [0, 1, 2]);
  });

  it('reads while commands are handled: each slice of work is short', async () => {
    let done = 0;
    const scheduler = schedulerFor(() => {
      const until = performance.now() + 1;
      while (performance.now() < until);
      done += 1;
    });
    for (let seq = 0; seq < 50; seq++) scheduler.received({ seq, agent: `agent-${seq}` }, false);
    let read = -1;
    setTimeout(() => {
      read = done;
    }, 5);
    await waitFor('all to be handled', () => done === 50);
    assert.ok(read >= 0 && read < 40, `${read} were handled before anything was read`);
  });

  it('100,000 commands of one agent that are over at once do not grow the stack', async () => {
    let ran = 0;
    const scheduler = schedulerFor((command) => {
      ran += 1;
      scheduler.stored(command);
    });
    for (let seq = 0; seq < 100_000; seq++) scheduler.received({ seq, agent: 'a' }, false);
    await waitFor('all to be handled', () => ran === 100_000, 60_000);
    assert.equal(scheduler.inHand, 0);
  });

  it('100,000 handlers that end at once do not grow the stack', () => {
    const scheduler = schedulerFor(() => undefined);
    const told: string[] = [];
    const first = handlerOf(0, told);
    scheduler.run(first);
    for (let seq = 1; seq <= 100_000; seq++) {
      const handler: WaitingHandler = handlerOf(seq, told, () => scheduler.handlerEnded(handler));
      scheduler.run(handler);
    }
    assert.equal(told.length, 1);
    scheduler.handlerEnded(first);
    assert.equal(told.length, 100_001);
  });

  it('tells once when all handlers wait for commands of the module itself', () => {
    let stalls = 0;
    const scheduler = schedulerFor(
      () => undefined,
      () => {
        stalls += 1;
      },
    );
    scheduler.run(handlerOf(1, []));
    scheduler.ownCalls(1);
    assert.deepEqual([stalls, scheduler.isStalled], [1, true]);
    scheduler.ownCalls(-1);
    assert.deepEqual([stalls, scheduler.isStalled], [1, false]);
  });

  it('drops the handlers that wait when the module stops, also those that come later', () => {
    const scheduler = schedulerFor(() => undefined);
    const told: string[] = [];
    for (const seq of [1, 2]) scheduler.run(handlerOf(seq, told));
    scheduler.drain();
    scheduler.run(handlerOf(3, told));
    scheduler.drain();
    assert.deepEqual(told, ['begin 1', 'drop 2', 'drop 3']);
  });
});
