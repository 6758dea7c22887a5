import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstDue, parseTiming } from '../../schemas/schedule.js';
import { failure, success } from '../support/either.js';

const NOW = Date.parse('2026-11-21T12:00:00.400Z');

describe('when a command is due', () => {
  it('is a time, a span from now, a period or a cron expression', () => {
    assert.deepEqual(success(parseTiming({ at: '2026-11-21T13:00:01+01:00' }, NOW)), {
      kind: 'at',
      atMs: Date.parse('2026-11-21T12:00:01Z'),
    });
    assert.deepEqual(success(parseTiming({ in: '1m30s' }, NOW)), { kind: 'at', atMs: NOW + 90_000 });
    assert.deepEqual(success(parseTiming({ every: '2h' }, NOW)), { kind: 'every', everyMs: 7_200_000 });
    assert.deepEqual(success(parseTiming({ cron: '0 9 * * *', timezone: 'Europe/Berlin' }, NOW)), {
      kind: 'cron',
      expression: '0 0 9 * * *',
      timezone: 'Europe/Berlin',
    });
  });

  it('is refused when it is said twice or not at all, is past, too far or too often', () => {
    for (const [when, words] of [
      [{}, 'none was given'],
      [{ in: '1s', every: '1s' }, 'in and every were given'],
      [{ at: '2026-11-21T12:00:00Z' }, 'is past'],
      [{ at: 'tomorrow' }, 'RFC 3339'],
      [{ at: '2030-01-31' }, 'RFC 3339'],
      [{ at: '2030-13-31T00:00:00Z' }, 'RFC 3339'],
      [{ at: '9999-01-31T00:00:00Z' }, 'too far'],
      [{ in: '5' }, 'not a duration'],
      [{ in: '-5s' }, 'not a duration'],
      [{ in: '99999999d' }, 'too'],
      [{ every: '500ms' }, 'whole number of seconds'],
      [{ every: '1500ms' }, 'whole number of seconds'],
      [{ every: '0s' }, 'whole number of seconds'],
      [{ cron: '* * * * * * *' }, 'not a cron expression'],
      [{ cron: '0 0 31 2 *' }, 'nine years'],
      [{ cron: '@daily', timezone: 'Nowhere' }, 'not a time zone'],
      [{ in: '1s', timezone: 'UTC' }, 'needs cron'],
      [{ cron: '@daily', timezone: '' }, 'the time zone is empty'],
      [{ cron: '' }, 'for example'],
    ] as const) {
      const { code, message } = failure(parseTiming(when, NOW));
      assert.equal(code, 'SCHEDULE_INVALID');
      assert.ok(message.includes(words), message);
    }
  });

  it('comes first after it was made', () => {
    const iso = (ms: number): string => new Date(ms).toISOString();
    assert.equal(iso(firstDue({ kind: 'every', everyMs: 5_000 }, NOW)), '2026-11-21T12:00:05.000Z');
    assert.equal(iso(firstDue({ kind: 'cron', expression: '0 0 * * * *' }, NOW)), '2026-11-21T13:00:00.000Z');
  });
});
