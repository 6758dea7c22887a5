import { type BenchModule, plainAction } from '../bench/bench-module.js';

const agents = { type: 'array', items: { type: 'string' } };

const MANIFEST = {
  name: 'relay',
  version: '1.0.0',
  description: 'Agents that send messages to each other and keep nothing.',
  actions: {
    take: plainAction({ text: { type: 'string' } }),
    pass: plainAction({ text: { type: 'string' }, path: agents }),
    spread: plainAction({ text: { type: 'string' }, to: agents }),
  },
  events: {},
  start: { entry: './index.js' },
};

const CODE = `
const done = (commands) => ({ _tag: 'Right', right: { data: {}, events: [], commands } });
const to = (name, agent, data) => ({ module: 'relay', name, agent, data });
const take = () => done([]);
const pass = (_, { data: { text, path: [next, ...path] } }) =>
  done(next === undefined ? [] : [to('pass', next, { text, path })]);
const spread = (_, { data: { text, to: agents } }) => done(agents.map((agent) => to('take', agent, { text })));
const actions = { take: { decide: take }, pass: { decide: pass }, spread: { decide: spread } };
export default { manifest, initial: {}, actions, evolve: {} };
`;

/** Agents that send messages to each other. */
export const RELAY: BenchModule = { manifest: MANIFEST, code: CODE };
