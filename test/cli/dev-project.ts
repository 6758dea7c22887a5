import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connectOperator } from '../support/log-checks.js';
import { tempDir } from '../support/temp-dir.js';

/** The output of `show` tells which code answers. */
export const counter = (answer: string, { name = 'counter', head = '', fold = 'sum + by' } = {}): string => `
import { defineModule, ok, reject, Type } from 'tallystick';
${head}
export default defineModule({
  name: '${name}',
  version: '1.0.0',
  description: 'Counts.',
  state: { sum: 0 },
  events: { added: { data: Type.Object({ by: Type.Integer() }), evolve: ({ sum }, { by }) => ({ sum: ${fold} }) } },
  actions: {
    add: {
      input: Type.Object({ by: Type.Integer() }),
      output: Type.Null(),
      decide: (_, { by }) => (by < 0 ? reject('NEGATIVE', 'it only counts up') : ok(null, { added: { by } })),
    },
    show: {
      input: Type.Object({}),
      output: Type.Object({ sum: Type.Integer(), code: Type.Unknown() }),
      decide: ({ sum }) => ok({ sum, code: ${answer} }),
    },
  },
});
`;

/** A directory with these files, and calls of the operator to the broker in it. */
export const devProject = (files: Readonly<Record<string, string>>) => {
  const dir = tempDir();
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(dir.path, path)), { recursive: true });
    writeFileSync(join(dir.path, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  const call = async (action: string, input = {}): Promise<unknown> => {
    const nc = await connectOperator(join(dir.path, '.tallystick'));
    try {
      return (await nc.request(`call.${action}.a`, JSON.stringify(input), { timeout: 30_000 })).json();
    } finally {
      await nc.close();
    }
  };
  return {
    path: dir.path,
    write,
    call,
    shown: async (name = 'counter') => ((await call(`${name}.show`)) as { data: unknown }).data,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
};
