import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Beats, quietIntervalMs } from '../../../modules/host/beats.js';
import { BEAT_INTERVAL_MS } from '../../../schemas/control.js';

interface Sent {
  readonly beat: string;
  readonly now: boolean;
}

/** A process with the states that these tests need. */
const beating = () => {
  const sent: Sent[] = [];
  let heard: () => void = () => undefined;
  const state = { handled: 0, isBusy: false };
  const beats = new Beats({
    hangMs: 600_000,
    beat: () => ({ pid: 1, handled: state.handled, pending: 0, agents: 0 }),
    isBusy: () => state.isBusy,
    send: (beat, now) => {
      sent.push({ beat, now });
      heard();
    },
  });
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      heard = resolve;
    });
  return { beats, sent, state, next };
};

test('a quiet process sends a beat at once when work arrives, before the work begins', async () => {
  const { beats, sent, next } = beating();
  // The first beat tells something new. The second says the same, so the process is quiet.
  await next();
  await next();
  beats.stir();
  assert.equal(sent.length, 3);
  assert.deepEqual(
    sent.map(({ now }) => now),
    [false, false, true],
  );
  // From here on it beats at the full rate: more work needs no beat.
  beats.stir();
  assert.equal(sent.length, 3);
  beats.close();
});

test('a process that tells something new, or has commands under way, is not quiet', async () => {
  const { beats, sent, state, next } = beating();
  await next();
  state.handled = 1;
  await next();
  beats.stir();
  assert.equal(sent.length, 2, 'it told something new');
  state.isBusy = true;
  await next();
  beats.stir();
  assert.equal(sent.length, 3, 'it has a command under way');
  beats.close();
});

test('a quiet process beats at least twice within the silence that the broker allows', () => {
  for (const hangMs of [1_000, 2_000, 5_000, 600_000]) {
    const quietMs = quietIntervalMs(hangMs);
    assert.ok(quietMs <= hangMs / 2, `every ${quietMs} ms of ${hangMs}`);
    assert.ok(quietMs >= BEAT_INTERVAL_MS);
    assert.ok(quietMs <= 2_500);
  }
});
