import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tallystick } from './tallystick.js';
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

/** A directory with these files, and calls to the broker in it. */
export const devProject = (files: Readonly<Record<string, string>>) => {
  const dir = tempDir();
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(dir.path, path)), { recursive: true });
    writeFileSync(join(dir.path, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  const call = async (action: string, input = {}): Promise<unknown> => {
    const args = ['call', action, JSON.stringify(input), '--agent', 'a', '--json'];
    return JSON.parse((await tallystick(args, { cwd: dir.path })).stdout);
  };
  return {
    path: dir.path,
    write,
    call,
    shown: async (name = 'counter') => ((await call(`${name}.show`)) as { data: unknown }).data,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
};
