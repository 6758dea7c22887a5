import accountsModule from '../../../modules/accounts/index.js';
import agentsModule from '../../../modules/agents/index.js';
import ordersModule from '../../../modules/orders/index.js';
import { type Manifest, takesAgent } from '../../../schemas/manifest.js';
import type { JsonSchema } from '../../../schemas/validate.js';
import { manifest as faulty } from '../../fixtures/modules/faulty/manifest.js';
import type { Seeded } from '../../support/seeded.js';
import { letters, oddText } from './odd-text.js';

const { manifest: accounts } = accountsModule;
const { manifest: agents } = agentsModule;
const { manifest: orders } = ordersModule;

export interface Target {
  /** `MODULE.ACTION[.AGENT]`, or what is put in its place. */
  readonly address: string;
  /** What the action takes; anything where there is no such action. */
  readonly schema: JsonSchema;
}

/** Of the module that does what a handler must not: what becomes a dead letter at once, and lets the process live. */
const DEAD_AT_ONCE: readonly string[] = [
  'throws',
  'throws_nothing',
  'throws_async',
  'rejects_at_length',
  'bad_output',
  'bad_event',
];

const MANIFESTS = [accounts, agents, orders, faulty] as unknown as readonly Manifest[];

const ACTIONS = MANIFESTS.flatMap(({ name, actions }) =>
  Object.entries(actions)
    .filter(([action]) => name !== faulty.name || DEAD_AT_ONCE.includes(action))
    .map(([action, described]) => ({
      address: `${name}.${action}`,
      agent: takesAgent(described),
      schema: described.input,
    })),
);
const DEPOSIT = ACTIONS.filter(({ address }) => address === 'accounts.deposit');

/** The modules that ship with the package and serve in every run. */
export const SHIPPED = [accounts.name, agents.name, orders.name] as const;
/** All that serve, each in a process that must live through the run. */
export const SERVED = [...SHIPPED, faulty.name] as const;

const AGENTS = Array.from({ length: 40 }, (_, i) => `agent-${i}`);

/** Longer control lines end the connection: those are for raw protocol bytes. */
const MAX_TOKEN = 120;

/** A token of a subject: no blank, no line break, and no dot but by chance. */
export const token = (random: Seeded): string =>
  (random.next() < 0.03 ? letters(random, random.int(64, MAX_TOKEN)) : oddText(random)).replaceAll(
    /[ \t\r\n]/g,
    '_',
  );

const known = (random: Seeded): Target => {
  const { address, agent, schema } = random.pick(random.next() < 0.3 ? DEPOSIT : ACTIONS);
  const name = random.next() < 0.9 ? random.pick(AGENTS) : token(random);
  // Now and then the agent is missing, or there is one too many.
  return { address: agent === random.next() < 0.97 ? `${address}.${name}` : address, schema };
};

/** An address: two in three are of an action that there is. */
export const target = (random: Seeded): Target => {
  if (random.next() < 0.67) return known(random);
  const { address, schema } = known(random);
  const tokens = address.split('.');
  switch (random.int(0, 3)) {
    case 0:
      tokens[random.int(0, tokens.length - 1)] = token(random);
      break;
    case 1:
      tokens.push(...Array.from({ length: random.int(1, 3) }, () => token(random)));
      break;
    case 2:
      tokens.splice(random.int(0, tokens.length - 1), 1);
      break;
    default:
      return { address: Array.from({ length: random.int(1, 5) }, () => token(random)).join('.'), schema };
  }
  return { address: tokens.join('.'), schema };
};
