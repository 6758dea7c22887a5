import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Refusal, Result } from '../../../schemas/result.js';
import type { TestBroker } from '../../support/broker.js';
import { endedByItself } from '../../support/ended-by-itself.js';
import type { LogFollower } from '../../support/log-follower.js';
import { type Headers, natsCall, natsCommand } from '../../support/requests.js';
import { waitFor } from '../../support/wait-for.js';
import { FaultyBroker } from '../../support/faulty-broker.js';

let faulty: FaultyBroker;
let broker: TestBroker;
let log: LogFollower;
let files = 0;

const start = async (): Promise<void> => {
  await faulty.start();
  ({ broker, log } = faulty);
};

before(async () => {
  faulty = await FaultyBroker.prepare();
  await start();
});
after(() => faulty?.[Symbol.asyncDispose]());

const newFile = (): string => join(faulty.notes, `file-${++files}`);
const linesOf = (file: string): number =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;

type How = 'throws' | 'hangs' | 'rejects' | 'refused';
const call = async (action: string, how: How, times: number, headers?: Headers) => {
  const tries = newFile();
  const agent = `agent-${files}`;
  const payload = JSON.stringify({ tries, times, how });
  const { result } = await natsCall(broker.url, `faulty.${action}.${agent}`, payload, headers);
  return { result, tries: linesOf(tries) };
};
const errorOf = (result: Result): Refusal['error'] => (result as Refusal).error;

describe('a handler that fails', () => {
  for (const how of ['throws', 'hangs', 'rejects'] as const) {
    it(`${how}, is tried again as its manifest says, and is ok when it is`, async () => {
      assert.deepEqual(await call('fails', how, 2), { result: { status: 'ok', data: {} }, tries: 3 });
    });
  }

  it('to the last try is answered with what the last one was, and with how many there were', async () => {
    const threw = await call('fails', 'throws', 9);
    assert.equal(threw.tries, 4);
    const { code, attempts, dead } = errorOf(threw.result);
    assert.deepEqual([code, attempts, dead], ['HANDLER_THREW', 4, true]);
    const rejected = await call('fails', 'rejects', 9);
    assert.deepEqual(rejected, {
      tries: 4,
      result: {
        status: 'rejected',
        error: { code: 'NOT_YET', message: 'later perhaps', retryable: true, attempts: 4 },
      },
    });
  });

  it('is tried once where its manifest says nothing', async () => {
    const { result, tries } = await call('fails_once', 'throws', 1);
    assert.deepEqual([tries, errorOf(result).attempts], [1, 1]);
  });

  it('because a call of its was refused is not tried again: the log has that answer for every try', async () => {
    const { result, tries } = await call('fails', 'refused', 9);
    assert.deepEqual([tries, errorOf(result).code, errorOf(result).attempts], [1, 'NOT_NOW', undefined]);
  });

  it('with a deadline that leaves no time for the next try is answered at once', async () => {
    const deadline = new Date(Date.now() + 20_000).toISOString();
    const { result, tries } = await call('fails_for_long', 'throws', 9, { 'Tally-Deadline': deadline });
    assert.deepEqual([tries, errorOf(result).code, errorOf(result).attempts], [1, 'HANDLER_THREW', 1]);
  });

  it('I5 keeps its agent waiting and nobody else', async () => {
    const tries = newFile();
    const payload = JSON.stringify({ tries, times: 9, how: 'throws' });
    const failing = await natsCommand(broker.url, 'faulty.fails_for_long.waiting', payload);
    await waitFor('its first try', () => linesOf(tries) === 1);
    const behind = await natsCommand(broker.url, 'faulty.ok.waiting', '{}');
    assert.equal((await natsCall(broker.url, 'faulty.ok.other', '{}')).result.status, 'ok');
    const ok = JSON.stringify({ tries: newFile(), times: 0, how: 'throws' });
    assert.equal((await natsCall(broker.url, 'faulty.fails_for_long.other', ok)).result.status, 'ok');
    assert.deepEqual([log.resultsOf(failing), log.resultsOf(behind)], [[], []]);
  });

  it('I3 is not lost when the broker stops during the pause: it stops at once and handles it at the next start', async () => {
    const tries = newFile();
    const payload = JSON.stringify({ tries, times: 1, how: 'throws' });
    const failing = await natsCommand(broker.url, 'faulty.fails_for_long.stopped', payload);
    const behind = await natsCommand(broker.url, 'faulty.ok.stopped', '{"add":1}');
    await waitFor('its first try', () => linesOf(tries) === 1);
    await waitFor('the pause to be told of', () =>
      broker.stderr.some((line) => line.includes(`command ${failing} failed at try 1 of 100`)),
    );
    await broker.stop();
    assert.ok(endedByItself(broker.dataDir, 'faulty'), 'it was not waited for until it was killed');
    await faulty.stop();
    await start();
    assert.deepEqual(await log.result(failing), { status: 'ok', data: {} });
    assert.equal((await log.result(behind)).status, 'ok');
    assert.equal(linesOf(tries), 2);
  });
});

describe('a deadline', () => {
  it('that passes while the command waits for a place is past when it is to be handled', async () => {
    const until = newFile();
    const payload = JSON.stringify({ until });
    const first = await natsCommand(broker.url, 'faulty.one_at_a_time.first', payload);
    await waitFor('the first to begin', () =>
      broker.stderr.some((line) => line.includes(`handling ${first} (`)),
    );
    const deadline = Date.now() + 1_000;
    const late = await natsCommand(broker.url, 'faulty.one_at_a_time.late', payload, {
      'Tally-Deadline': new Date(deadline).toISOString(),
    });
    const lane = await natsCommand(broker.url, 'faulty.ok.first', '{}', {
      'Tally-Deadline': new Date(deadline).toISOString(),
    });
    const last = await natsCommand(broker.url, 'faulty.one_at_a_time.last', payload);
    await waitFor('the deadline to pass', () => Date.now() > deadline + 10);
    await writeFile(until, '');
    for (const seq of [late, lane]) {
      const result = await log.result(seq);
      assert.deepEqual([result.status, errorOf(result).code], ['expired', 'DEADLINE_PAST']);
    }
    for (const seq of [first, last]) assert.equal((await log.result(seq)).status, 'ok');
    assert.ok(!broker.stderr.some((line) => line.includes(`handling ${late} (`)));
  });
});
