import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextCron, parseCron, parseTimeZone } from '../../schemas/cron.js';
import { failure, success } from '../support/either.js';

const next = (expression: string, after: string, zone?: string): string | undefined => {
  const at = nextCron(success(parseCron(expression)), Date.parse(after), zone);
  return at === undefined ? undefined : new Date(at).toISOString();
};

describe('cron', () => {
  it('takes six fields, five, and names for common ones', () => {
    assert.equal(success(parseCron('0 9 * * mon-fri')).expression, '0 0 9 * * mon-fri');
    assert.equal(success(parseCron(' */10  * * * * * ')).expression, '*/10 * * * * *');
    assert.equal(success(parseCron('@daily')).expression, '0 0 0 * * *');
  });

  it('says which part cannot be read', () => {
    for (const [text, part] of [
      ['99 * * * *', '"99"'],
      ['* * * 13 *', '"13"'],
      ['* * * * 7', '"7"'],
      ['* * 0 * *', '"0"'],
      ['5-1 * * * *', '"5-1"'],
      ['*/0 * * * *', '"*/0"'],
      ['1,,2 * * * *', '"1,,2"'],
      ['* * *', '"* * *"'],
      ['@every 1s', '"@every 1s"'],
      ['@at 2030-01-01T00:00:00Z', '"@at 2030-01-01T00:00:00Z"'],
      ['', '""'],
    ] as const) {
      const { code, message } = failure(parseCron(text));
      assert.equal(code, 'SCHEDULE_INVALID');
      assert.ok(message.includes(part), message);
      assert.match(message, /for example "0 9 \* \* mon-fri"/);
    }
    // The examples are what they are said to be.
    for (const text of ['0 9 * * mon-fri', '*/30 * * * * *', '@daily']) success(parseCron(text));
  });

  it('takes no name that every object has for one of its own', () => {
    for (const name of Object.getOwnPropertyNames(Object.prototype)) {
      assert.equal(failure(parseCron(name)).code, 'SCHEDULE_INVALID', name);
    }
  });

  it('knows when it fires next', () => {
    assert.equal(next('*/2 * * * * *', '2026-03-01T10:00:01.5Z'), '2026-03-01T10:00:02.000Z');
    assert.equal(next('30 9 * * *', '2026-03-01T09:30:00Z'), '2026-03-02T09:30:00.000Z');
    assert.equal(next('0 0 1 1 *', '2026-03-01T00:00:00Z'), '2027-01-01T00:00:00.000Z');
    assert.equal(next('0 12 * * sat', '2026-11-21T12:00:00Z'), '2026-11-28T12:00:00.000Z');
    // Either day counts where both are given.
    assert.equal(next('0 0 13 * fri', '2026-11-01T00:00:00Z'), '2026-11-06T00:00:00.000Z');
    assert.equal(next('0 0 29 2 *', '2026-01-01T00:00:00Z'), '2028-02-29T00:00:00.000Z');
    assert.equal(next('0 0 29 2 *', '2097-01-01T00:00:00Z'), '2104-02-29T00:00:00.000Z');
    assert.equal(next('0 0 31 2 *', '2026-01-01T00:00:00Z'), undefined);
  });

  it('follows the clock of a time zone over its changes', () => {
    assert.equal(next('0 9 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin'), '2026-03-29T07:00:00.000Z');
    assert.equal(next('0 9 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin'), '2026-10-25T08:00:00.000Z');
    // The clock leaps over 02:30 on that day: it comes when the leap is made, once.
    assert.equal(next('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin'), '2026-03-29T01:00:00.000Z');
    assert.equal(next('30 2 * * *', '2026-03-29T01:00:00Z', 'Europe/Berlin'), '2026-03-30T00:30:00.000Z');
    // The clock shows 02:30 twice on that day: the first time counts.
    assert.equal(next('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin'), '2026-10-25T00:30:00.000Z');
    assert.equal(next('30 2 * * *', '2026-10-25T00:30:00Z', 'Europe/Berlin'), '2026-10-26T01:30:00.000Z');
    // What fits every hour goes by the time that passes.
    assert.equal(next('30 * * * *', '2026-10-25T00:30:00Z', 'Europe/Berlin'), '2026-10-25T01:30:00.000Z');
    assert.equal(next('30 * * * *', '2026-03-29T00:30:00Z', 'Europe/Berlin'), '2026-03-29T01:30:00.000Z');
    // Clocks change at midnight there: the server left out the next day, and said nothing.
    assert.equal(next('0 0 1 * *', '2027-04-28T00:00:00Z', 'Africa/Cairo'), '2027-04-30T21:00:00.000Z');
    assert.equal(
      next('0 0 9 31 * *', '2027-09-01T00:00:00Z', 'America/Santiago'),
      '2027-10-31T12:00:00.000Z',
    );
    // Samoa left out a whole day.
    assert.equal(next('0 9 30 12 *', '2011-12-01T00:00:00Z', 'Pacific/Apia'), '2011-12-30T10:00:00.000Z');
    assert.equal(next('0 0 * * *', '2026-06-01T12:00:00Z', 'Asia/Kathmandu'), '2026-06-01T18:15:00.000Z');
    assert.equal(failure(parseTimeZone('Mars/Olympus')).code, 'SCHEDULE_INVALID');
  });
});
