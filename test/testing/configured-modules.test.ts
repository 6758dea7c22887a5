import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineModule, ok, Refused, Type } from '../../modules/entry.js';
import { specification, startInProcess } from '../../testing/index.js';

const shop = defineModule({
  name: 'shop',
  version: '1.0.0',
  description: 'Has a configuration.',
  config: Type.Object({
    currency: Type.String({ minLength: 3 }),
    rates: Type.Array(Type.Number(), { default: [1, 2] }),
    apiKey: Type.Optional(Type.String({ sensitive: true })),
  }),
  state: { sold: 0 },
  events: { sold: { data: Type.Object({}), evolve: ({ sold }) => ({ sold: sold + 1 }) } },
  actions: {
    price: {
      input: Type.Object({ amount: Type.Number() }),
      output: Type.String(),
      decide: (_state, { amount }, { config }) => {
        // The types come from the schema: these lines compile only with them.
        const currency: string = config.currency;
        const rates: readonly number[] = config.rates;
        const key: string | undefined = config.apiKey;
        return ok(`${amount * (rates[1] ?? 0)} ${currency}${key ?? ''}`, { sold: {} });
      },
    },
    spoil: {
      input: Type.Object({}),
      output: Type.String(),
      run: async (_state, _input, { config }) => {
        try {
          (config.rates as number[])[0] = 7;
          return ok('changed');
        } catch (thrown) {
          return ok((thrown as Error).name);
        }
      },
    },
  },
});

describe('modules with a configuration in one process', () => {
  it('have what the test gives and the defaults, and cannot change it', async () => {
    await using tally = await startInProcess([shop], { config: { shop: { currency: 'EUR' } } });
    await using other = await startInProcess([shop], {
      config: { shop: { currency: 'USD', rates: [0, 5], apiKey: '!' } },
    });
    assert.equal(await tally.agent(shop, 'a').price({ amount: 2 }), '4 EUR');
    assert.equal(await other.agent(shop, 'a').price({ amount: 2 }), '10 USD!');
    assert.equal(await tally.agent(shop, 'a').spoil({}), 'TypeError');
    specification(shop, { config: { currency: 'CHF' } })
      .agent('a')
      .when('price', { amount: 1 })
      .thenDecided({ data: '2 CHF', events: [{ name: 'sold', data: {} }] });
  });

  const REFUSED: readonly (readonly [object, string])[] = [
    [{}, 'CONFIG_MISSING'],
    [{ shop: { currency: 'E' } }, 'CONFIG_INVALID'],
    [{ shop: { currency: 'EUR', rates: ['x'] } }, 'CONFIG_INVALID'],
    [{ shop: { currency: 'EUR', colour: 1 } }, 'CONFIG_KEY_UNKNOWN'],
    [{ shop: { currency: 'EUR' }, none: {} }, 'USAGE'],
    [{ shop: 7 }, 'USAGE'],
  ];
  for (const [config, code] of REFUSED) {
    it(`are refused with ${code} for ${JSON.stringify(config)}`, async () => {
      await assert.rejects(
        startInProcess([shop], { config: config as never }),
        (thrown) => thrown instanceof Refused && thrown.code === code,
      );
    });
  }

  it('no configuration reaches a module that declares none', async () => {
    const plain = defineModule({
      name: 'plain',
      version: '1.0.0',
      description: 'Has none.',
      state: {},
      actions: {
        has: {
          input: Type.Object({}),
          output: Type.Boolean(),
          decide: (_state, _input, { config }) => ok(config !== undefined),
        },
      },
    });
    await using tally = await startInProcess([plain]);
    assert.equal(await tally.agent(plain, 'a').has({}), false);
  });
});
