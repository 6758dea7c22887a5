import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import type { ModuleSource } from '../../../broker/supervisor/manifest-file.js';
import type { Remembered } from '../../../broker/supervisor/module-memory.js';
import { startPlan } from '../../../broker/supervisor/start-plan.js';
import { fault } from '../../../schemas/errors.js';
import type { Manifest } from '../../../schemas/manifest.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';

const NAMES = ['red', 'green', 'blue'] as const;
const sourceOf = (name: string, dir: string): ModuleSource => ({
  dir,
  manifestPath: `${dir}/manifest.json`,
  manifest: { ...plain(name), start: { entry: './index.js' } } as Manifest,
});

interface Case {
  readonly shipped: boolean;
  readonly given: boolean;
  readonly found: 'ok' | 'gone' | 'renamed';
  readonly before:
    | { readonly intent: Remembered['intent']; readonly shipped: boolean; readonly parked: string | null }
    | undefined;
}

const cases = fc.record<Case>({
  shipped: fc.boolean(),
  given: fc.boolean(),
  found: fc.constantFrom('ok', 'gone', 'renamed'),
  before: fc.option(
    fc.record({
      intent: fc.constantFrom('loaded', 'unloaded', 'removed'),
      shipped: fc.boolean(),
      parked: fc.constantFrom(null, 'parked after 5 crashes'),
    }),
    { nil: undefined },
  ),
});

const planOf = (each: readonly Case[]) => {
  const of = (fits: (one: Case) => boolean, dir: (name: string) => string): readonly ModuleSource[] =>
    NAMES.filter((_, i) => fits(each[i] as Case)).map((name) => sourceOf(name, dir(name)));
  const remembered = new Map<string, Remembered>(
    NAMES.flatMap((name, i): [string, Remembered][] => {
      const { before } = each[i] as Case;
      const dir = before?.shipped === true ? `/package/${name}` : `/home/${name}`;
      return before === undefined ? [] : [[name, { ...before, dir, manifest: sourceOf(name, dir).manifest }]];
    }),
  );
  return startPlan({
    shipped: of(
      ({ shipped, given }) => shipped && !given,
      (name) => `/package/${name}`,
    ),
    given: of(
      ({ given }) => given,
      (name) => `/given/${name}`,
    ),
    isShipped: (dir) => dir.startsWith('/package/'),
    remembered,
    read: (dir) => {
      const name = dir.split('/').at(-1) as string;
      const { found } = each[NAMES.indexOf(name as 'red')] as Case;
      if (found === 'gone') return E.left(fault('MANIFEST_INVALID', `${dir} is gone`));
      return E.right(sourceOf(found === 'renamed' ? 'other' : name, dir));
    },
  });
};

const calling = (source: ModuleSource, actions: readonly string[]): ModuleSource => ({
  ...source,
  manifest: { ...source.manifest, dependencies: { shelf: [...actions] } },
});

describe('which modules a start makes known', () => {
  it('a version that calls more stays at rest until an operator grants it; so it is with module reload', () => {
    const some = fc.subarray(['add', 'take', 'count']);
    fc.assert(
      fc.property(
        some,
        some,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (had, asks, isNamed, shipped, grant) => {
          const dir = '/home/red';
          const now = calling(sourceOf('red', dir), asks);
          const { manifest } = calling(sourceOf('red', dir), had);
          const entry: Remembered = { intent: 'loaded', dir, shipped, parked: null, manifest };
          const [one] = startPlan({
            shipped: shipped ? [now] : [],
            given: isNamed && !shipped ? [now] : [],
            isShipped: () => shipped,
            remembered: new Map([['red', entry]]),
            read: () => E.right(now),
            grant,
          });
          const more = asks.filter((action) => !had.includes(action));
          const rests = more.length > 0 && !shipped && !grant;
          assert.equal(one?.rest?.state, rests ? 'crashed' : undefined);
          assert.deepEqual(one?.remembered.manifest.dependencies, { shelf: rests ? had : asks });
          if (rests) assert.match(one?.rest?.reason ?? '', /^CALLS_NOT_GRANTED: .*call shelf\.\w+.*--grant/);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('every module that is named or remembered is known once; only what was removed and is not named is not', () => {
    fc.assert(
      fc.property(fc.tuple(cases, cases, cases), (each) => {
        const plan = planOf(each);
        for (const [i, name] of NAMES.entries()) {
          const { shipped, given, found, before } = each[i] as Case;
          const inPackage = shipped && !given;
          const planned = plan.filter(({ source }) => source.manifest.name === name);
          const isNamed = given || (inPackage && before?.intent !== 'removed');
          const isKept = before !== undefined && before.intent !== 'removed';
          assert.equal(planned.length, isNamed || isKept ? 1 : 0, `${name} ${JSON.stringify(each[i])}`);
          const [one] = planned;
          if (one === undefined) continue;
          // What an operator stopped stays stopped, whoever names it.
          if (before?.intent === 'unloaded') {
            assert.equal(one.rest?.state, 'unloaded');
            assert.equal(one.remembered.intent, 'unloaded');
            continue;
          }
          assert.equal(one.remembered.intent, 'loaded');
          assert.equal(one.remembered.parked, before?.parked ?? null);
          if (given) assert.deepEqual([one.rest, one.source.dir], [undefined, `/given/${name}`]);
          else if (before?.shipped === false) {
            assert.equal(one.source.dir, `/home/${name}`, 'a directory that was loaded has precedence');
            assert.equal(one.rest?.state, found === 'ok' ? undefined : 'crashed');
          } else assert.equal(one.rest?.state, inPackage ? undefined : 'known');
        }
      }),
      { numRuns: 500 },
    );
  });
});
