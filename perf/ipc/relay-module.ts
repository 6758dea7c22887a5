import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const agents = { type: 'array', items: { type: 'string' } };
const action = (properties: object) => ({
  agent: 'required',
  input: { type: 'object', properties, required: Object.keys(properties) },
  output: { type: 'object' },
});

const MANIFEST = {
  name: 'relay',
  version: '1.0.0',
  description: 'Agents that send messages to each other and keep nothing.',
  actions: {
    take: action({ text: { type: 'string' } }),
    pass: action({ text: { type: 'string' }, path: agents }),
    spread: action({ text: { type: 'string' }, to: agents }),
  },
  events: {},
  start: { entry: './index.js' },
};

const CODE = `
const manifest = ${JSON.stringify(MANIFEST)};
const done = (commands) => ({ _tag: 'Right', right: { data: {}, events: [], commands } });
const to = (name, agent, data) => ({ module: 'relay', name, agent, data });
const take = () => done([]);
const pass = (_, { data: { text, path: [next, ...path] } }) =>
  done(next === undefined ? [] : [to('pass', next, { text, path })]);
const spread = (_, { data: { text, to: agents } }) => done(agents.map((agent) => to('take', agent, { text })));
const actions = { take: { decide: take }, pass: { decide: pass }, spread: { decide: spread } };
export default { manifest, initial: {}, actions, evolve: {} };
`;

/** Its folder. */
export const writeRelay = (dir: string): string => {
  const path = join(dir, 'relay');
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'manifest.json'), JSON.stringify(MANIFEST));
  writeFileSync(join(path, 'package.json'), '{"type":"module"}');
  writeFileSync(join(path, 'index.js'), CODE);
  return path;
};
