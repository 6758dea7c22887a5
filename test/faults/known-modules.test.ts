import { test } from 'node:test';
import fc from 'fast-check';
import { KnownModules, NAMES, type Step } from './known-modules.js';
import { IN_FULL, byForm } from '../support/form.js';

const name = fc.constantFrom(...NAMES);
const one = (what: Step['do']): fc.Arbitrary<Step> =>
  fc.record({ do: fc.constant(what), name }) as fc.Arbitrary<Step>;
const KILLS = [
  ['load', 'module.remembering'],
  ['load', 'module.remembered'],
  ['unload', 'module.remembering'],
  ['unload', 'module.remembered'],
  ['reload', 'module.remembered'],
  ['reload', 'module.reloading'],
  ['remove', 'module.remembered'],
  ['remove', 'module.removing'],
  ['remove', 'module.removed'],
] as const;

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: one('send') },
  { weight: 2, arbitrary: one('load') },
  { weight: 3, arbitrary: one('unload') },
  { weight: 1, arbitrary: one('reload') },
  { weight: 1, arbitrary: one('remove') },
  { weight: 1, arbitrary: one('crash module') },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('restart', 'kill broker') }) as fc.Arbitrary<Step>,
  },
);

/** The life in which commands were lost: the module is unloaded, and the broker is started again. */
const FORGOTTEN: readonly Step[] = [
  { do: 'load', name: 'red' },
  { do: 'unload', name: 'red' },
  { do: 'send', name: 'red' },
  { do: 'kill broker' },
];

const perform = async (life: readonly Step[]): Promise<void> => {
  await using world = await KnownModules.start();
  for (const step of life) await world.perform(step);
  await world.check();
};

test('I3 commands of a module that was unloaded wait, also over a restart of the broker', () =>
  perform(FORGOTTEN));

test('I3 whatever a module goes through, its commands are handled or answered MODULE_UNKNOWN, once each', async () => {
  const lives = fc.array(steps, { minLength: 6, maxLength: IN_FULL ? 20 : 8 });
  await fc.assert(fc.asyncProperty(lives, perform), {
    numRuns: byForm({ short: 1, deep: 4, full: 30 }),
    endOnFailure: true,
  });
});

test('I3 a broker that is killed while it loads, unloads, reloads or removes has done it, or nothing of it', async (t) => {
  const kills = KILLS.map(([what, at], i): readonly Step[] => {
    const of = NAMES[i % 2] as (typeof NAMES)[number];
    const ready: Step[] =
      what === 'load'
        ? [
            { do: 'load', name: of },
            { do: 'unload', name: of },
          ]
        : [{ do: 'load', name: of }];
    const waiting: Step[] = what === 'remove' || what === 'load' ? [{ do: 'unload', name: of }] : [];
    return [...ready, ...waiting, { do: 'send', name: of }, { do: 'kill in', what, name: of, at }];
  });
  // Each costs two starts of a broker.
  const drawn =
    fc.sample(fc.shuffledSubarray([...kills.keys()], { minLength: IN_FULL ? kills.length : 1 }), 1)[0] ?? [];
  for (const i of IN_FULL ? drawn : drawn.slice(0, 1)) {
    const life = kills[i] as readonly Step[];
    const last = life.at(-1) as Extract<Step, { do: 'kill in' }>;
    await t.test(`${last.what}, killed at ${last.at}`, () => perform(life));
  }
});
