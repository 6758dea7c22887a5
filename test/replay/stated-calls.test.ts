import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AskedCall, statedCalls } from '../../journal/wire/call-digest.js';
import { LogMessage } from '../../journal/wire/stored-message.js';
import { Findings } from '../../replay/verify/findings.js';
import { LogVerifier } from '../../replay/verify/log-verifier.js';
import { jsonText } from '../support/json-text.js';

interface Entry {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly data: string;
}

const NOTHING_ELSE = new Set(['callsDiffer']);

/** What is found about calls in a log of these records, the first of which has sequence 1. */
const found = (entries: readonly Entry[], kinds = NOTHING_ELSE): readonly string[] => {
  const findings = new Findings();
  const verifier = new LogVerifier(findings, 1, undefined);
  for (const [index, { subject, headers, data }] of entries.entries()) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = Buffer.from(`NATS/1.0\r\n${lines.join('')}\r\n`);
    const bytes = Buffer.concat([head, Buffer.from(data)]);
    const message = { subject, _rdata: bytes, data: bytes.subarray(head.length) };
    verifier.add(new LogMessage(index + 1, '1000000000', message).toWire());
  }
  return findings.listed.filter(({ kind }) => kinds.has(kind)).map(({ detail }) => detail);
};

const asked = fc
  .array(
    fc.record({
      address: fc.constantFrom(
        'accounts.deposit.ann',
        'accounts.withdraw.ann',
        'accounts.deposit.bob',
        'm.note',
      ),
      text: jsonText(),
    }),
    { maxLength: 5 },
  )
  .map((calls) =>
    calls.map(({ address, text }, i): AskedCall => ({ call: i + 1, address, payload: Buffer.from(text) })),
  );

const CAUSE: Entry = { subject: 'cmd.m.act.a.guest', headers: {}, data: '{}' };

const command = ({ call, address, payload }: AskedCall, sender = 'm'): Entry => ({
  subject: `cmd.${address}.${sender}`,
  headers: { 'Tally-Cause': 1, 'Tally-Call': call },
  data: Buffer.from(payload).toString(),
});

const result = (stated?: string): Entry => ({
  subject: 'res.m.act.a',
  headers: { 'Tally-Cause': 1, ...(stated === undefined ? {} : { 'Tally-Calls': stated }) },
  data: '{"status":"ok","data":{}}',
});

test('I11 a result that says which calls its handler made is laid beside those that the log has', () => {
  fc.assert(
    fc.property(asked, asked, fc.boolean(), (calls, others, isShuffled) => {
      const stated = statedCalls(calls);
      const commands = (isShuffled ? calls.toReversed() : calls).map((each) => command(each));
      assert.deepEqual(found([CAUSE, ...commands, result(stated)]), []);
      // What only names the cause, and what says nothing, is no matter.
      const strangers = others.map((each) => command(each, each.call % 2 === 0 ? 'guest' : 'other'));
      assert.deepEqual(found([CAUSE, ...strangers, ...commands, result(stated)]), []);
      assert.deepEqual(found([CAUSE, ...commands, result()]), []);
      const differs = statedCalls(others) !== stated;
      const recorded = others.map((each) => command(each));
      assert.equal(found([CAUSE, ...recorded, result(stated)]).length, differs ? 1 : 0);
    }),
  );
});

test('I11 one call that differs in anything is found: its payload, its address, its number, that it is missing or twice', () => {
  fc.assert(
    fc.property(
      asked.filter(({ length }) => length > 0),
      fc.nat(),
      fc.constantFrom('payload', 'address', 'missing', 'twice', 'more'),
      (calls, at, what) => {
        const index = at % calls.length;
        const one = calls[index] as AskedCall;
        const changed = {
          payload: calls.with(index, { ...one, payload: Buffer.from(`[${Buffer.from(one.payload)}]`) }),
          address: calls.with(index, { ...one, address: `${one.address}x` }),
          missing: calls.toSpliced(index, 1),
          twice: [...calls, one],
          more: [...calls, { ...one, call: calls.length + 1 }],
        }[what];
        const log = [CAUSE, ...changed.map((each) => command(each)), result(statedCalls(calls))];
        assert.ok(found(log).length > 0, what);
        // Two commands of one call are a finding also where the result says nothing.
        const twice = [CAUSE, ...changed.map((each) => command(each)), result()];
        assert.equal(found(twice).length, what === 'twice' ? 1 : 0);
      },
    ),
  );
});

/** A step of the handler of command 1, the n-th record of its module. */
const step = (call: number, n: number, data: string, cause = 1, subject = 'step.m.act.a'): Entry => ({
  subject,
  headers: { 'Tally-Id': `m.9.${n}`, 'Tally-Cause': cause, 'Tally-Call': call },
  data,
});

test('I11 steps are compared with what the result says, as calls are, and have their numbers once', () => {
  const payload = '{"name":"charge","status":"ok","value":{"b":1.50,"a":2},"attempts":1}';
  const asStep = (call: number, text = payload): AskedCall => ({
    ...{ call, address: 'step.m.act.a', payload: Buffer.from(text) },
  });
  const asCall: AskedCall = { call: 2, address: 'accounts.deposit.ann', payload: Buffer.from('{}') };
  const stated = statedCalls([asStep(1), asCall]);
  // Another order of keys and another notation of a number are the same JSON.
  const same = '{"status":"ok","name":"charge","attempts":1,"value":{"a":2,"b":15e-1}}';
  for (const text of [payload, same])
    assert.deepEqual(found([CAUSE, step(1, 1, text), command(asCall), result(stated)]), []);
  // A result that says nothing of steps, from a module in another language.
  assert.deepEqual(found([CAUSE, step(1, 1, payload), command(asCall), result()]), []);
  const wrong: readonly (readonly Entry[])[] = [
    [command(asCall)],
    [step(1, 1, payload.replace('2', '3')), command(asCall)],
    [step(3, 1, payload), command(asCall)],
    [command({ ...asCall, call: 1 }), step(1, 1, payload)],
    [step(1, 1, payload), step(1, 2, payload), command(asCall)],
  ];
  for (const records of wrong)
    assert.ok(found([CAUSE, ...records, result(stated)]).length > 0, JSON.stringify(records));
  const unnumbered = { ...step(1, 1, payload), headers: { 'Tally-Id': 'm.9.1', 'Tally-Cause': 1 } };
  assert.equal(found([CAUSE, unnumbered, result()]).length, 1);
});

test('a step is found that names no open command of its action and agent, or that another account wrote', () => {
  const wrong = new Set(['unattributed']);
  const body = '{"name":"a","status":"ok","attempts":1}';
  const lines = (records: readonly Entry[]): readonly string[] =>
    found(records, wrong).filter((detail) => detail.includes('step.'));
  assert.deepEqual(lines([CAUSE, step(1, 1, body), result()]), []);
  assert.equal(lines([CAUSE, result(), step(1, 1, body)]).length, 1);
  assert.equal(lines([CAUSE, step(1, 1, body, 7), result()]).length, 1);
  assert.equal(lines([CAUSE, step(1, 1, body, 1, 'step.m.act.b'), result()]).length, 1);
  assert.equal(lines([CAUSE, step(1, 1, body, 1, 'step.m.other.a'), result()]).length, 1);
  const forged = { ...step(1, 1, body), headers: { 'Tally-Id': 'gateway.1.1', 'Tally-Cause': 1 } };
  assert.equal(lines([CAUSE, forged, result()]).length, 1);
  const unsigned = { ...step(1, 1, body), headers: { 'Tally-Cause': 1, 'Tally-Call': 1 } };
  assert.equal(lines([CAUSE, unsigned, result()]).length, 1);
});
