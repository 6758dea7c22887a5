import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import * as z from 'zod';
import { defineModule, ok, reject, type StandardSchema, Type } from '../../modules/sdk/index.js';
import { inManifest } from '../../modules/sdk/schema-of.js';
import { specification } from '../../testing/index.js';
import { parseManifest } from '../../schemas/manifest.js';
import { success } from '../support/either.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_ extends true>(): void => undefined;

interface Sale {
  seats: number;
  row?: 'front' | 'back' | undefined;
}

/** The same module by the schemas of each library; its types come from them. */
const define = <S extends StandardSchema<Sale>, O extends StandardSchema<{ left: number }>>(
  sale: S,
  left: O,
) =>
  defineModule({
    name: 'tickets',
    version: '1.0.0',
    description: 'Sells seats.',
    state: { sold: 0 },
    events: {
      sold: { data: sale as StandardSchema<Sale>, evolve: ({ sold }, { seats }) => ({ sold: sold + seats }) },
    },
    actions: {
      sell: {
        input: sale as StandardSchema<Sale>,
        output: left as StandardSchema<{ left: number }>,
        decide: ({ sold }, { seats, row = 'back' }) =>
          sold + seats > 100
            ? reject('SOLD_OUT', row)
            : ok({ left: 100 - sold - seats }, { sold: { seats, row } }),
      },
    },
  });

const even = (seats: number): boolean => seats % 2 === 0;

const inZod = {
  sale: z.object({
    seats: z.int().min(1).refine(even, 'must be even'),
    row: z.enum(['front', 'back']).optional(),
  }),
  left: z.object({ left: z.int() }),
};
const inValibot = {
  sale: toStandardJsonSchema(
    v.object({
      seats: v.pipe(v.number(), v.integer(), v.minValue(1), v.multipleOf(2)),
      row: v.optional(v.picklist(['front', 'back'])),
    }),
  ),
  left: toStandardJsonSchema(v.object({ left: v.pipe(v.number(), v.integer()) })),
};
const inArktype = {
  sale: type({ seats: 'number.integer >= 1 & number % 2', 'row?': "'front' | 'back'" }),
  left: type({ left: 'number.integer' }),
};

describe('the schemas of other libraries', () => {
  const modules = {
    zod: define(inZod.sale, inZod.left),
    valibot: define(inValibot.sale, inValibot.left),
    arktype: define(inArktype.sale, inArktype.left),
  };

  for (const [library, module] of Object.entries(modules)) {
    it(`${library} gives the manifest its JSON Schemas`, () => {
      const { actions } = success(parseManifest(JSON.parse(JSON.stringify(module.manifest))));
      assert.ok(actions.sell);
      const { properties, required, $schema } = actions.sell.input as {
        $schema?: string;
        properties: { seats: { type: string }; row: { enum: string[] } };
        required: string[];
      };
      assert.deepEqual([properties.seats.type, required], ['integer', ['seats']]);
      assert.deepEqual([...properties.row.enum].sort(), ['back', 'front']);
      assert.equal($schema, undefined);
    });

    it(`${library} checks inputs, outputs and events`, () => {
      const hamlet = specification(module).agent('hamlet');
      hamlet.when('sell', { seats: 98 }).thenDecided({
        data: { left: 2 },
        events: [{ name: 'sold', data: { seats: 98, row: 'back' } }],
        state: { sold: 98 },
      });
      hamlet
        .given([{ name: 'sold', data: { seats: 98 } }])
        .when('sell', { seats: 4 })
        .thenRejected('SOLD_OUT');
      for (const wrong of [{ seats: 0 }, { seats: 2.5 }, { seats: 'two' }, {}, { seats: 2, row: 'middle' }])
        hamlet.when('sell', wrong as never).thenRejected('PAYLOAD_INVALID');
    });

    it(`${library} refuses an odd number, which for zod only the library knows`, () => {
      specification(module).agent('hamlet').when('sell', { seats: 3 }).thenRejected('PAYLOAD_INVALID');
    });
  }

  it('give handlers and callers their types', () => {
    const zod = defineModule({
      name: 'a',
      version: '1.0.0',
      description: '',
      state: {},
      actions: {
        act: {
          input: inZod.sale,
          output: inArktype.left,
          decide: (_, sale) => {
            holds<Equal<typeof sale, { seats: number; row?: 'front' | 'back' | undefined }>>();
            return ok({ left: sale.seats });
          },
        },
        again: {
          input: inValibot.sale,
          output: inValibot.left,
          decide: (_, { seats, row }) => {
            holds<Equal<typeof row, 'front' | 'back' | undefined>>();
            return ok({ left: seats });
          },
        },
        third: {
          input: inArktype.sale,
          output: inZod.left,
          decide: (_, { seats }) => ok({ left: seats }),
        },
      },
    });
    assert.deepEqual(Object.keys(zod.manifest.actions), ['act', 'again', 'third']);
  });

  it('name the place of what is wrong, and are not asynchronous', () => {
    const check = (validate: StandardSchema['~standard']['validate']) => {
      const input: StandardSchema<{ a: number }> = {
        '~standard': {
          version: 1,
          vendor: 'paper',
          validate,
          jsonSchema: { input: () => ({ type: 'object' }) },
        },
      };
      const module = defineModule({
        name: 'b',
        version: '1.0.0',
        description: '',
        state: {},
        actions: { act: { input, output: inZod.left, decide: () => ok({ left: 1 }) } },
      });
      return specification(module).agent('x').when('act', { a: 1 });
    };
    check(() => ({})).thenDecided({ data: { left: 1 } });
    const thrown = (run: () => void): string => {
      try {
        run();
      } catch (error) {
        return (error as Error).message;
      }
      return assert.fail('nothing was thrown');
    };
    const odd = check(() => ({ issues: [{ message: 'is odd', path: ['list', { key: 0 }, 'a/b'] }] }));
    assert.match(
      thrown(() => odd.thenDecided({})),
      /PAYLOAD_INVALID: payload\/list\/0\/a~1b is odd/,
    );
    assert.match(
      thrown(() => check(async () => ({})).thenDecided({})),
      /payload has an asynchronous schema/,
    );
    const throwing = check(() => {
      throw new Error('no idea');
    });
    assert.match(
      thrown(() => throwing.thenDecided({})),
      /payload cannot be checked: no idea/,
    );
  });
});

describe('sensitive values', () => {
  it('each library marks them in the manifest', () => {
    const marked = [
      Type.Object({ pin: Type.String({ sensitive: true }) }),
      z.object({ pin: z.string().meta({ sensitive: true }) }),
      toStandardJsonSchema(v.object({ pin: v.pipe(v.string(), v.metadata({ sensitive: true })) })),
    ];
    for (const schema of marked) {
      const { properties } = inManifest(schema, 'the input') as unknown as {
        readonly properties: { readonly pin: { readonly sensitive?: boolean } };
      };
      assert.equal(properties.pin.sensitive, true);
    }
  });
});
