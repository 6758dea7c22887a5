import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { connect } from 'nats';
import { createClient, createProducer } from '../../modules/client/index.js';
import { manifest } from '../fixtures/modules/slow/manifest.js';
import { startBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { IN_FULL, byForm } from '../support/form.js';
import { writeModule } from '../support/module-dir.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { checkSettledLog, SETTLE_MS, settled } from './system-state.js';
import { brokerStatus } from '../support/broker-status.js';

const SECONDS = byForm({ short: 2, deep: 10, full: 60 });
/** Commands on their way into the log at a time; and calls that wait for their results at a time. */
const SENDING = 200;
const CALLING = IN_FULL ? 2_000 : 500;
/** Between two commands of a sender: in a minute without, more would be sent than the module gets done while callers wait. */
const PAUSE_MS = IN_FULL ? 60 : 0;
/** Of each connection 64 calls are in the log at a time; the rest waits for them in the broker. */
const LEAST_LAG = 64;
const SEEN_WITHIN_MS = 60_000;
const MIB = 1024 * 1024;
/** What module and broker may come to hold, however long the queue in the log is. */
const MODULE_BYTES = 350 * MIB;

const agent = (i: number): string => `agent-${i % 1_000}`;

test(`I1 I3 I8 a module that is slower than those who send for ${SECONDS} s loses nothing, keeps callers waiting, holds no more, and catches up`, async (t) => {
  await using home = tempDir();
  const slow = await writeModule(join(home.path, 'slow'), 'slow', manifest);
  await using broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', '--module', slow] });
  const nc = await connect({ servers: broker.url });
  const producer = success(await createProducer(nc, { name: 'fast', maxPending: SENDING })());
  const client = createClient(nc);
  const until = performance.now() + SECONDS * 1_000;
  let [mostLag, mostBytes] = [0, 0];
  // On a busy machine it takes longer until more is sent than is done: the test goes on until that was seen.
  const isOver = (): boolean => performance.now() > until + (mostLag >= LEAST_LAG ? 0 : SEEN_WITHIN_MS);
  let [sent, answered, longestMs, overloaded] = [0, 0, 0, 0];

  const sending = async (): Promise<void> => {
    for (let i = 0; !isOver(); i++) {
      const outcome = await producer.send(manifest, 'work', agent(i), { i })();
      if (isRight(outcome)) {
        sent += 1;
        if (PAUSE_MS > 0) await new Promise((resume) => setTimeout(resume, PAUSE_MS));
      }
      // More than it lets wait: told at once, and not stored.
      else if (outcome.left.code === 'OVERLOADED') {
        overloaded += 1;
        await new Promise((resume) => setTimeout(resume, outcome.left.retryAfterMs));
      } else assert.fail(outcome.left.message);
    }
  };
  const calling = async (): Promise<void> => {
    for (let i = 0; !isOver(); i++) {
      const begun = performance.now();
      const result = await client.call(manifest, 'work', agent(i), { i }, { timeoutMs: SETTLE_MS })();
      if (isLeft(result)) assert.fail(JSON.stringify(result.left));
      assert.deepEqual(result.right, { i });
      longestMs = Math.max(longestMs, performance.now() - begun);
      answered += 1;
    }
  };
  const senders = Array.from({ length: SENDING + 10 }, sending);
  const callers = Array.from({ length: CALLING }, calling);
  const watching = (async () => {
    while (!isOver()) {
      const [module] = (await brokerStatus(broker.dataDir)).modules;
      mostLag = Math.max(mostLag, module?.lag ?? 0);
      mostBytes = Math.max(mostBytes, module?.rssBytes ?? 0);
      // A sample now and then, for as long as is sent: nothing is waited for here.
      await new Promise((resume) => setTimeout(resume, 200));
    }
  })();
  await Promise.all([...senders, watching]);
  const behindAt = performance.now();
  await Promise.all(callers);
  await settled(broker.dataDir);
  const caughtUpMs = performance.now() - behindAt;
  await producer.close();
  await nc.close();

  assert.ok(mostLag >= LEAST_LAG, `it was slower than they: ${mostLag} behind`);
  assert.ok(mostBytes < MODULE_BYTES, `${Math.round(mostBytes / MIB)} MiB`);
  assert.ok(overloaded > 0 && answered >= CALLING);
  let commands = 0;
  await waitFor('the last of them', async () => (await brokerStatus(broker.dataDir)).conversationsOpen === 0);
  await checkSettledLog(broker.dataDir, ({ subject }) => {
    if (subject.startsWith('cmd.slow.work.')) commands += 1;
  });
  assert.equal(commands, sent + answered);
  t.diagnostic(
    `${sent} sent, ${answered} calls answered, the longest after ${Math.round(longestMs)} ms; ${overloaded} times told to wait; ` +
      `${mostLag} behind at most, ${Math.round(mostBytes / MIB)} MiB; caught up in ${Math.round(caughtUpMs)} ms`,
  );
});
