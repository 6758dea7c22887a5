import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import { dueTooLate, refusedAlways } from '../../../broker/schedules/hopeless.js';
import { readCommand } from '../../../modules/host/read-command.js';
import { compileChecks } from '../../../modules/sdk/checks.js';
import type { AnyModule } from '../../../modules/sdk/module-shape.js';
import { HEADER } from '../../../schemas/headers.js';
import type { ActionManifest, Manifest } from '../../../schemas/manifest.js';
import { firstDue, type Timing } from '../../../schemas/schedule.js';
import { counter } from '../../modules/counter.js';

const NOW = Date.parse('2030-01-01T00:00:00.250Z');
const DAY_MS = 86_400_000;
const module = counter() as unknown as AnyModule;
const checks = compileChecks(module.manifest);
const manifest = { ...module.manifest, start: { entry: 'a.js' } } as unknown as Manifest;
const action = manifest.actions.add as ActionManifest;

/** Why the module refuses the command when it comes at that time. */
const refusedAt = (headers: Readonly<Record<string, string>>, data: Uint8Array, nowMs: number) => {
  const read = readCommand(
    { module, checks },
    { kind: 'cmd', module: 'counter', name: 'add', agent: 'alice', sender: 'guest' },
    { seq: 9, time: '', timeMs: nowMs, subject: '', header: (name) => headers[name], data },
    nowMs,
  );
  return isLeft(read) ? read.left.code : undefined;
};

const iso = (ms: number): string => new Date(ms).toISOString();

const deadline = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.integer({ min: -3 * DAY_MS, max: 3 * DAY_MS }).map((ms) => iso(NOW + ms)),
    fc.constantFrom(
      '2030-02-30T00:00:00Z',
      'soon',
      '2031-01-01',
      '2030-01-01T24:00:00Z',
      '2040-02-29T00:00:00Z',
    ),
    fc.string({ minLength: 1 }),
  );

const headers = (): fc.Arbitrary<Readonly<Record<string, string>>> =>
  fc
    .record(
      {
        [HEADER.deadline]: deadline(),
        [HEADER.priority]: fc.oneof(
          { weight: 9, arbitrary: fc.constantFrom('urgent', 'normal', 'Urgent') },
          fc.string(),
        ),
        [HEADER.contentType]: fc.constantFrom('application/json', 'text/plain'),
      },
      { requiredKeys: [] },
    )
    // A line break never comes through the door, and an empty value is none.
    .filter((all) =>
      Object.values(all).every((value) => value !== '' && !/[\r\n]/.test(value as string)),
    ) as fc.Arbitrary<Readonly<Record<string, string>>>;

const payload = (): fc.Arbitrary<Uint8Array> =>
  fc
    .oneof(
      fc.constantFrom('{"by":1}', '{"by":"1"}', '{}', '[]', '', '{"by":1,"more":2}', '{"by":', 'null'),
      { weight: 5, arbitrary: fc.integer({ min: 1, max: 9 }).map((by) => JSON.stringify({ by })) },
      fc.json(),
    )
    .map((text) => Buffer.from(text));

const timing = (): fc.Arbitrary<Timing> =>
  fc.oneof(
    fc.integer({ min: 1, max: 2 * DAY_MS }).map((ms) => ({ kind: 'at' as const, atMs: NOW + ms })),
    fc.integer({ min: 1, max: 86_400 }).map((s) => ({ kind: 'every' as const, everyMs: s * 1_000 })),
    fc
      .constantFrom('0 0 9 * * *', '0 */5 * * * *', '* * * * * *')
      .map((expression) => ({ kind: 'cron' as const, expression })),
  );

describe('a schedule', () => {
  it('is refused for what its module would refuse at every firing, and for nothing else', () => {
    let [refused, taken] = [0, 0];
    fc.assert(
      fc.property(headers(), payload(), timing(), (all, data, when) => {
        const due = firstDue(when, NOW);
        const first = refusedAt(all, data, due);
        const problem =
          refusedAlways({ manifest, action, headers: all, data }) ??
          dueTooLate(when, all[HEADER.deadline], NOW);
        // A deadline at the very moment is past before anybody can handle the command.
        const inTime = all[HEADER.deadline] === undefined || Date.parse(all[HEADER.deadline] ?? '') !== due;
        if (inTime) assert.equal(problem === undefined, first === undefined, `${first} ${problem?.message}`);
        if (problem === undefined) taken += 1;
        else {
          refused += 1;
          // The module looks at the deadline before the payload.
          if (inTime && first !== 'DEADLINE_PAST') assert.equal(problem.code, first);
        }
      }),
      { numRuns: 3_000 },
    );
    assert.ok(refused > 300 && taken > 100, `${refused} refused, ${taken} taken`);
  });

  it('of a program in another language may have a payload that is no JSON, where its sender says what it is', () => {
    const foreign = {
      manifest: { ...manifest, start: { command: ['x'] } },
      action,
      data: Buffer.from('\u0001'),
    };
    const as = (type: string) => refusedAlways({ ...foreign, headers: { [HEADER.contentType]: type } })?.code;
    assert.equal(as('application/cbor'), undefined);
    assert.equal(as('application/json; charset=utf-8'), 'PAYLOAD_NOT_JSON');
    assert.equal(refusedAlways({ ...foreign, headers: {} })?.code, 'PAYLOAD_NOT_JSON');
  });
});
