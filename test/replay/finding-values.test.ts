import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Findings } from '../../replay/verify/findings.js';
import { quotedBytes } from '../../replay/verify/found-value.js';
import { LogVerifier } from '../../replay/verify/log-verifier.js';
import { HEADER } from '../../schemas/headers.js';
import type { Finding } from '../../schemas/verification.js';
import { wireOf } from '../../journal/wire/stored-message.js';
import { headerBytes, rawRecord, wireRecord } from './exported-records.js';

interface Entry {
  readonly subject: string;
  readonly lines: readonly string[];
  readonly data?: string;
}

/** What is found in a log of these records, the first of which has sequence 1. */
const findingsOf = (entries: readonly Entry[]): readonly Finding[] => {
  const findings = new Findings();
  const verifier = new LogVerifier(findings, 1, undefined);
  for (const [index, { subject, lines, data = '{}' }] of entries.entries()) {
    const record = rawRecord({
      seq: index + 1,
      subject,
      headerBytes: headerBytes(...lines),
      data: Buffer.from(data),
    });
    verifier.add(wireOf(wireRecord(record)));
  }
  return findings.listed;
};

const detailsOf = (found: readonly Finding[], kind: Finding['kind']): readonly string[] =>
  found.filter((each) => each.kind === kind).map(({ detail }) => detail);

/** The sequences of the logs below, each of which can be a cause, and the part of a record that is in order. */
const MEANT = ['1', '2', '3', '1/1'];

/** Values that a header can have and that say nothing to the broker. */
const anyWrong = fc.oneof(
  fc.integer({ min: 100, max: 999_999_999 }).map(String),
  fc.constantFrom('0', '-1', '1e3', '0x10', '00001', '9007199254740993', 'NaN', '1/2', '__proto__', 'ü', '٣'),
  fc.stringMatching(/^[!-~]{1,40}$/),
);

const wrong = anyWrong.filter((value) => !MEANT.includes(value));

const shown = (value: string): string => quotedBytes(Buffer.from(value));

const command: Entry = { subject: 'cmd.accounts.deposit.alice.guest', lines: [] };
const event: Entry = { subject: 'evt.accounts.deposited.alice', lines: [] };

test('a finding about a cause says which cause the record has', () => {
  fc.assert(
    fc.property(wrong, fc.constantFrom('1/1', undefined), (cause, part) => {
      const lines = [`${HEADER.cause}: ${cause}`, ...(part === undefined ? [] : [`${HEADER.part}: ${part}`])];
      const found = findingsOf([
        command,
        { ...event, lines },
        { subject: 'res.accounts.deposit.alice', lines },
      ]);
      const [orphan = ''] = detailsOf(found, 'orphanEvent');
      assert.ok(orphan.includes(`${HEADER.cause} ${shown(cause)}`), orphan);
      const results = detailsOf(found, 'unattributed').filter((detail) => detail.includes('the result'));
      assert.ok(results[0]?.includes(`${HEADER.cause} ${shown(cause)}`), results[0]);
    }),
    { examples: [['999999999', undefined]] },
  );
});

test('a finding about a part says which part the record has, or that it has none', () => {
  fc.assert(
    fc.property(wrong, fc.boolean(), (part, isThere) => {
      const lines = [`${HEADER.cause}: 1`, ...(isThere ? [`${HEADER.part}: ${part}`] : [])];
      const result = {
        subject: 'res.accounts.deposit.alice',
        lines: [`${HEADER.cause}: 1`],
        data: '{"status":"ok","data":{}}',
      };
      const [orphan = ''] = detailsOf(findingsOf([command, result, { ...event, lines }]), 'orphanEvent');
      assert.ok(orphan.includes(isThere ? `${HEADER.part} ${shown(part)}` : `no ${HEADER.part}`), orphan);
    }),
  );
});

test('a finding about an identity says which one the record has', () => {
  fc.assert(
    fc.property(fc.oneof(wrong, fc.constantFrom('orders.3.7', 'guest.1.1')), (id) => {
      const lines = [`${HEADER.id}: ${id}`];
      const [detail = ''] = detailsOf(findingsOf([{ ...event, lines }]), 'unattributed');
      assert.ok(detail.includes(`${HEADER.id} ${shown(id)}`), detail);
    }),
  );
});

test('a finding about an epoch record says what stands in it', () => {
  const unread = fc.constantFrom(
    '',
    'text',
    '{}',
    '[]',
    '7',
    '{"phase":"open","producer":"orders"}',
    '{"a":1,"a":2}',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        unread,
        fc.json().filter((text) => !text.includes('"producer":"accounts"')),
      ),
      (data) => {
        const [detail = ''] = detailsOf(
          findingsOf([{ subject: 'epoch.accounts', lines: [], data }]),
          'unattributed',
        );
        assert.ok(detail.includes(quotedBytes(Buffer.from(data))), detail);
      },
    ),
  );
  const previous = fc.constantFrom<unknown>(
    'x',
    7,
    [],
    {},
    { epoch: 'x', last: 1, holes: [] },
    { epoch: 1, last: 2 },
  );
  fc.assert(
    fc.property(previous, (end) => {
      const data = JSON.stringify({ phase: 'open', producer: 'accounts', previous: end });
      const [detail = ''] = detailsOf(
        findingsOf([{ subject: 'epoch.accounts', lines: [], data }]),
        'unattributed',
      );
      assert.ok(detail.includes(JSON.stringify(JSON.stringify(end))), detail);
    }),
  );
});

test('a finding about a promise or a statement of calls says what it names', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{1,9}$/), fc.stringMatching(/^[!-~]{1,30}$/), (agent, calls) => {
      const subject = `evt.orders.placed.${agent}`;
      const data = JSON.stringify({ status: 'ok', data: {}, out: [{ subject, id: '1/1', data: {} }] });
      const lines = [`${HEADER.cause}: 1`, `${HEADER.calls}: ${calls}`];
      const found = findingsOf([command, { subject: 'res.accounts.deposit.alice', lines, data }]);
      assert.ok(detailsOf(found, 'forbidden')[0]?.includes(JSON.stringify(subject)));
      if (calls !== '0') assert.ok(detailsOf(found, 'callsDiffer')[0]?.includes(shown(calls)));
    }),
  );
});

test('bytes that are no UTF-8 are shown as their numbers', () => {
  assert.equal(quotedBytes(Buffer.from([0x61, 0xff, 0x22, 0x0a])), '"a\\xff\\x22\\x0a" (no UTF-8)');
  assert.equal(quotedBytes(Buffer.from('ü"')), '"ü\\""');
});
