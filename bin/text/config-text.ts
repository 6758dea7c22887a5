import type { ConfigChange, ConfigEntry, ConfigList, ConfigOfModule } from '../../schemas/config-requests.js';
import { fittedTable } from './fitted-table.js';

/** What a person sees in the place of a secret. */
const HIDDEN = '(sensitive)';

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The value of a key, or what holds while it has none. */
export const configValueText = ({ secret, set, value, default: given }: ConfigEntry): string => {
  if (secret && set) return HIDDEN;
  if (set) return shown(value);
  return given === undefined ? '-' : shown(given);
};

const originOf = ({ set, by, at, schema, required, default: given }: ConfigEntry): string => {
  if (set) return `${by}, ${at}${schema === null ? ' (not used)' : ''}`;
  if (given !== undefined) return 'default';
  return required ? 'MISSING' : 'not set';
};

const lines = ({ module, keys }: ConfigOfModule): readonly (readonly string[])[] =>
  keys.map((entry) => [module, entry.key, configValueText(entry), originOf(entry), entry.description ?? '']);

/** All keys, one in a line, and what is wrong below. */
export const configTable = ({ modules }: ConfigList): string => {
  if (modules.length === 0) return 'no module declares a configuration';
  const table = fittedTable(['MODULE', 'KEY', 'VALUE', 'SET BY', 'DESCRIPTION'], modules.flatMap(lines), {
    keys: ['MODULE', 'KEY'],
    spare: ['DESCRIPTION', 'SET BY'],
  });
  return [table, ...modules.flatMap(({ problem }) => (problem === null ? [] : [problem]))].join('\n');
};

const EFFECTS = {
  stored: 'the module does not run with it yet',
  started: 'the module started with it',
  restarted: 'the module restarted with it',
  told: 'the running module has taken it',
} as const;

/** What a change led to. */
export const configChangeText = (
  { module, key, changed, effect, problem }: ConfigChange,
  verb: 'set' | 'unset',
): string => {
  if (!changed)
    return `${module}.${key} ${verb === 'set' ? 'had that value' : 'had no value'}; nothing was changed`;
  const done = `${module}.${key} is ${verb}; ${EFFECTS[effect]}`;
  return problem === null ? done : `${done}: ${problem}`;
};
