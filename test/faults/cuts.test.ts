import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { headers, type NatsConnection } from 'nats';
import { dial } from '../../link/dial.js';
import { HEADER } from '../../schemas/headers.js';
import { LOG } from '../../schemas/log.js';
import { type FailPoint, FIRED_FILE } from '../../system/processes/fail-point.js';
import type { Operation } from '../fixtures/modules/stepper/index.js';
import { byForm } from '../support/form.js';
import { waitFor } from '../support/wait-for.js';
import { arm, armModule, isClean, startStepWorld } from './step-world.js';

/** Points that a host passes at work, … */
const AT_WORK: readonly FailPoint[] = [
  'host.received',
  'host.decided',
  'host.appended',
  'host.acknowledged',
  'host.finished',
  'effect.begun',
  'effect.calling',
  'effect.answered',
  'step.begun',
  'step.returned',
  'step.appended',
  'step.stored',
  'wait.parked',
  'wait.woken',
  'cancel.met',
];
/** … and when it opens the epoch that a cut made necessary. */
const AT_START: readonly FailPoint[] = [
  'host.starting',
  'host.epoch-opened',
  'host.folding',
  'host.folded',
  'host.ready',
];
/** Where the broker loses its connection. Then the connections of the hosts stand, and replies are lost. */
const OF_BROKER: readonly FailPoint[] = [
  'gateway.called',
  'gateway.recorded',
  'gateway.answered',
  'epoch.fenced',
  'epoch.opened',
  'start.consumer-reset',
  'wake.storing',
  'wake.stored',
  'cancel.storing',
  'cancel.stored',
];

/** At once, or in what follows: with +100 and more, the connection is up again after the first cut. */
const delay = fc.constantFrom('', '', '', '+0', '+1', '+3', '+10', '+30', '+100', '+110', '+150');
const cutAt = (points: readonly FailPoint[], passings: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...points), fc.integer({ min: 1, max: passings }), delay)
    .map(([point, passing, later]) => `${point}@${passing}${later}:cut`);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ plain: fc.constantFrom('a', 'b'), ms: fc.constantFrom(0, 5, 50) }),
  fc.record({ step: fc.constant('charge'), attempts: fc.constant(5) }),
  fc.record({ deposit: fc.integer({ min: 1, max: 3 }), agent: fc.constantFrom('ann', 'bob') }),
  fc.record({ sleep: fc.constantFrom(0, 5, 60, 200) }),
);

const sometimes = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(of, { nil: undefined, freq: 2 });

const cases = fc.record({
  host: fc.tuple(
    cutAt(AT_WORK, 6),
    fc.array(cutAt(AT_START, 2), { maxLength: 2 }),
    fc.array(cutAt(AT_WORK, 12), { maxLength: 1 }),
  ),
  accounts: sometimes(cutAt(AT_WORK, 4)),
  broker: sometimes(cutAt(OF_BROKER, 4)),
  commands: fc.array(
    fc.record({
      agent: fc.integer({ min: 0, max: 3 }),
      operations: fc.array(operation, { maxLength: 5 }),
      atOnce: fc.boolean(),
      cancelAfterMs: sometimes(fc.integer({ min: 0, max: 100 })),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

/**
 * A lost reply is noticed at once, or costs a few seconds. On a busy machine an epoch takes seconds too. Whatever waits
 * for a time limit lasts longer than this: 25 s for a wake, 30 s for a call, 32 s for a silent consumer.
 */
const SOON_MS = 20_000;
/** A request of the test is lost with the connection of the broker, and sent again. */
const ASK_MS = 500;

const request = (
  nc: NatsConnection,
  subject: string,
  body: object,
  key = '',
): Promise<{ readonly seq?: number }> =>
  waitFor(
    `a reply to ${subject}`,
    async () => {
      const keyed = headers();
      if (key !== '') keyed.set(HEADER.key, key);
      const reply = await nc.request(subject, JSON.stringify(body), { headers: keyed, timeout: ASK_MS });
      const said = reply.json<{ readonly seq?: number; readonly error?: { readonly retryable: boolean } }>();
      if (said.error?.retryable === true) throw new Error(reply.string());
      return said;
    },
    60_000,
  );

const resultsIn = async (operator: NatsConnection): Promise<number> => {
  const body = JSON.stringify({ subjects_filter: 'res.stepper.>' });
  const reply = await operator.request(`$JS.API.STREAM.INFO.${LOG}`, body, { timeout: 5_000 });
  const { state } = reply.json<{
    readonly state: { readonly subjects?: Readonly<Record<string, number>> };
  }>();
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
};

test('I3 each command has its result soon after a cut of its host, wherever that cuts', async (t) => {
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const all = fc.sample(cases, { numRuns: byForm({ short: 5, deep: 40, full: 300 }), seed });
  await using world = await startStepWorld();
  const nc = await dial({ servers: world.broker.url, redialMs: 100 });
  const fired = join(world.failDir, FIRED_FILE);
  const cutAtMs = (): number => (existsSync(fired) ? statSync(fired).mtimeMs : 0);
  let [sent, slowest] = [0, 0];
  for (const each of all) {
    const { dataDir } = world.broker;
    await armModule(dataDir, world.failDir, 'stepper', each.host.flat().join(' '));
    await armModule(dataDir, world.failDir, 'accounts', each.accounts ?? ' ');
    await arm(world, each.broker ?? ' ');
    const send = async (
      i: number,
      { agent, operations, atOnce, cancelAfterMs }: (typeof each.commands)[number],
    ) => {
      const plan = world.write(i, { operations, atOnce, end: 'ok' });
      const { seq } = await request(nc, `cmd.stepper.follow.a${agent}`, { plan }, randomUUID());
      if (cancelAfterMs === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, cancelAfterMs));
      await request(nc, `cancel.${seq}`, {});
    };
    await Promise.all(each.commands.map((command, n) => send(sent + n, command)));
    sent += each.commands.length;
    const sentAtMs = Date.now();
    const waitedMs = (): number => Date.now() - Math.max(sentAtMs, cutAtMs());
    await waitFor(
      'all results',
      async () => {
        const found = await resultsIn(world.operator);
        if (found >= sent) return true;
        if (waitedMs() < SOON_MS) return false;
        throw new Error(
          `${sent - found} results lack ${waitedMs()} ms after the last cut: ${JSON.stringify(each)}`,
        );
      },
      4 * SOON_MS,
    );
    slowest = Math.max(slowest, waitedMs());
  }
  t.diagnostic(`${sent} commands; the last result of a case came ${slowest} ms after its last cut at most`);
  await nc.close();
  await isClean(world);
});
