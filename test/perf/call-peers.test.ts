import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CALL_PEERS, findCallPeer } from '../../perf/calls/call-peers.js';
import type { CallerQuestions } from '../../perf/calls/caller-main.js';
import type { Callee } from '../../perf/calls/callees.js';
import { amountAt } from '../../perf/calls/deposit-calls.js';
import { peerLeftOut } from '../../perf/peers/left-out.js';
import { startProgram } from '../../system/processes/program.js';
import { type Reaper, startReaper } from '../../system/processes/reaper.js';
import { notHere } from '../runner/not-here.js';

/** Two accounts. The first gets three deposits, with one to the other account between them. */
const [ONE, OTHER] = [7, 12];
const CALLS = [ONE, ONE, OTHER, ONE];
const BALANCES = [amountAt(ONE), 2 * amountAt(ONE), amountAt(OTHER), 3 * amountAt(ONE)];

const repliesOf = async ({ name, target }: Callee, reaper: Reaper): Promise<readonly unknown[]> => {
  const main = new URL('../../perf/calls/caller-main.js', import.meta.url);
  await using caller = startProgram<CallerQuestions>(main, { targets: { [name]: target } }, reaper);
  const replies: unknown[] = [];
  for (const number of CALLS) replies.push(await caller.ask('call', { at: name, number }));
  return replies;
};

describe('the peers of the benchmark of calls', () => {
  for (const peer of CALL_PEERS) {
    test(`${peer} replies to each deposit with the balance of that account`, async (t) => {
      const say = (line: string): void => t.diagnostic(line);
      const found = await findCallPeer(peer, say).catch((error: unknown) => {
        t.skip(notHere(`left out, ${peerLeftOut(peer, error)}`));
      });
      if (found === undefined) return;
      using reaper = startReaper();
      const callees = await found(reaper);
      try {
        assert.ok(callees.length > 0);
        for (const callee of callees)
          assert.deepEqual(
            await repliesOf(callee, reaper),
            BALANCES.map((balance) => ({ status: 'ok', data: { balance } })),
            callee.name,
          );
      } finally {
        for (const callee of callees) await callee[Symbol.asyncDispose]();
      }
    });
  }
});
