import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import { type Outcome, outcomeOf, refusedOutcome, threw } from '../../../modules/host/handler-outcome.js';
import { compileChecks } from '../../../modules/sdk/checks.js';
import type { AnyModule, Command } from '../../../modules/sdk/module-shape.js';
import { fault } from '../../../schemas/errors.js';
import { MAX_STORED_DEPTH } from '../../../schemas/json-depth.js';
import { MAX_RECORD_BYTES } from '../../../schemas/log.js';
import type { Refusal, Result } from '../../../schemas/result.js';
import { nested } from '../../support/awkward.js';
import { counter } from '../counter.js';
import { byForm } from '../../support/form.js';

const module = counter() as unknown as AnyModule;
const checks = compileChecks(module.manifest);
const command: Command = { seq: 7, time: '', agent: 'alice', sender: 'guest', conversation: 7, data: {} };

const outcome = (returned: unknown, action = 'add'): Outcome =>
  outcomeOf(module, checks, action, command, returned);
const resultOf = ({ body }: Outcome): Result => JSON.parse(Buffer.from(body).toString()) as Result;
const errorOf = (of: Outcome): Refusal['error'] => (resultOf(of) as Refusal).error;

describe('the outcome of a handler', () => {
  it('I4 is one record: the result and everything that it causes, numbered', () => {
    const { body, out, events } = outcome(
      E.right({
        data: { count: 3 },
        events: [{ name: 'added', data: { by: 3 } }],
        commands: [
          { module: 'accounts', name: 'withdraw', agent: 'bob', data: { amount: 1 } },
          { module: 'counter', name: 'reset', data: { by: 1 } },
        ],
      }),
    );
    const parsed = JSON.parse(Buffer.from(body).toString()) as { out: { subject: string; data: unknown }[] };
    assert.deepEqual(parsed.out, [
      { subject: 'evt.counter.added.alice', id: '7/1', data: { by: 3 } },
      { subject: 'cmd.accounts.withdraw.bob', id: '7/2', data: { amount: 1 } },
      { subject: 'cmd.counter.reset', id: '7/3', data: { by: 1 } },
    ]);
    assert.deepEqual({ ...parsed, out: [] }, { status: 'ok', data: { count: 3 }, out: [] });
    assert.deepEqual(
      out.map(({ subject, data }) => [subject, Buffer.from(data).toString()]),
      parsed.out.map(({ subject, data }) => [subject, JSON.stringify(data)]),
    );
    assert.deepEqual(events, [{ name: 'added', data: { by: 3 } }]);
  });

  it('is OUTCOME_INVALID where it is nested deeper than a record is read, wherever in it, and is kept where it is not', () => {
    const free = counter() as unknown as AnyModule;
    const open = {
      ...free.manifest,
      actions: { add: { input: true, output: true } },
      events: { added: { data: true } },
    };
    const deep = (levels: number): unknown => JSON.parse(nested(levels));
    const made = (levels: number, where: string): Outcome => {
      const data = where === 'data' ? deep(levels) : {};
      const events = where === 'event' ? [{ name: 'added', data: deep(levels) }] : [];
      const manifest = open as unknown as AnyModule['manifest'];
      return outcomeOf(
        { ...free, manifest },
        compileChecks(manifest),
        'add',
        command,
        E.right({ data, events }),
      );
    };
    // The body itself is a level, the list of what is sent and each in it are two more.
    const around = { data: 1, event: 3 };
    fc.assert(
      fc.property(
        fc.constantFrom('data' as const, 'event' as const),
        fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(1_000, 5_000, 20_000)),
        (where, more) => {
          const levels = MAX_STORED_DEPTH - around[where] + more;
          const of = made(levels, where);
          if (more > 0) assert.equal(errorOf(of).code, 'OUTCOME_INVALID');
          else assert.equal(resultOf(of).status, 'ok', JSON.stringify(of.refusal));
          assert.equal(of.out.length, more > 0 || where === 'data' ? 0 : 1);
        },
      ),
      { numRuns: byForm({ short: 12, deep: 60 }) },
    );
  });

  it('is OUTCOME_INVALID where it is not what the manifest says, whatever was returned', () => {
    const circle: Record<string, unknown> = { count: 1 };
    circle.self = circle;
    const trap = Object.defineProperty({}, 'count', {
      enumerable: true,
      get: () => {
        throw new Error('do not read me');
      },
    });
    for (const returned of [
      undefined,
      null,
      1,
      {},
      { _tag: 'Right' },
      E.right(undefined),
      E.right({}),
      E.right({ data: { count: 101 } }),
      E.right({ data: trap }),
      E.right({ data: { count: 1 }, events: [{ name: 'lost', data: {} }] }),
      E.right({ data: { count: 1 }, events: [{ name: 'added', data: { by: 'x' } }] }),
      E.right({ data: { count: 1 }, events: 5 }),
      E.right({ data: { count: 1 }, commands: [{ module: 'accounts', name: 'close', data: {} }] }),
      E.left(undefined),
      E.left({ code: 'not a code', message: '' }),
    ]) {
      const of = outcome(returned);
      assert.equal(errorOf(of).code, 'OUTCOME_INVALID');
      assert.deepEqual([of.out, of.events], [[], []]);
    }
    for (const data of [circle, { big: 1n }, undefined, () => 1]) {
      assert.equal(errorOf(outcome(E.right({ data }), 'reset')).code, 'OUTCOME_INVALID');
    }
  });

  it('I6 what is folded and copied is what is recorded, not what the handler holds in its hands', () => {
    const data = { by: -0 };
    const { body, out, events } = outcome(E.right({ data: { count: 0 }, events: [{ name: 'added', data }] }));
    data.by = 5;
    assert.deepEqual(events, [{ name: 'added', data: { by: 0 } }]);
    const recorded = JSON.parse(Buffer.from(body).toString()) as {
      out: { subject: string; data: unknown }[];
    };
    assert.deepEqual(
      out.map(({ subject, data }) => [subject, JSON.parse(Buffer.from(data).toString())]),
      recorded.out.map(({ subject, data }) => [subject, data]),
    );
    assert.ok(out.every((copy) => copy.data.buffer === body.buffer));
  });

  it('is OUTCOME_TOO_LARGE where one record does not hold it', () => {
    const of = outcome(E.right({ data: 'x'.repeat(MAX_RECORD_BYTES) }), 'reset');
    assert.equal(errorOf(of).code, 'OUTCOME_TOO_LARGE');
    assert.equal(resultOf(outcome(E.right({ data: 'x'.repeat(1_000_000) }), 'reset')).status, 'ok');
  });

  it('I3 a refusal always fits in a record, however long its message and path are', () => {
    const long = fc.string({ unit: 'binary', maxLength: 50 }).map((text) => text.repeat(40_000));
    fc.assert(
      fc.property(long, long, (message, path) => {
        for (const of of [
          refusedOutcome(fault('PAYLOAD_INVALID', message, path)),
          outcome(E.left({ code: 'NO', message, path })),
          threw('it', new Error(message)),
          threw('it', message),
        ]) {
          assert.ok(of.body.length < 100_000);
          assert.equal(typeof errorOf(of).message, 'string');
        }
      }),
      { numRuns: byForm({ short: 10, deep: 20 }) },
    );
    assert.equal(errorOf(refusedOutcome(fault('PAYLOAD_INVALID', 'm', '/short'))).path, '/short');
    assert.equal('path' in errorOf(refusedOutcome(fault('PAYLOAD_INVALID', 'm', '/'.repeat(5_000)))), false);
  });

  it('what was thrown need not be an error, nor readable', () => {
    assert.match(errorOf(threw('it', 'text')).message, /^it threw: "text", which is no Error$/);
    assert.match(errorOf(threw('it', null)).message, /null/);
    for (const thrown of [Object.create(null), { toString: () => 1n / 0n }, Symbol('s')]) {
      assert.equal(errorOf(threw('it', thrown)).code, 'HANDLER_THREW');
    }
  });
});
