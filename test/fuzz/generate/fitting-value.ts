import type { JsonSchema } from '../../../schemas/validate.js';
import type { Seeded } from '../../support/seeded.js';
import { letters } from './odd-text.js';

type Node = Readonly<Record<string, unknown>>;

const TEXTS = ['alice', 'bob', 'urgent', '1h'] as const;

/** A value that a schema of a shipped module takes. Agents have few names, so that they meet each other. */
export const fittingValue = (random: Seeded, schema: JsonSchema): unknown => {
  if (typeof schema === 'boolean') return {};
  const node = schema as Node;
  if ('const' in node) return node.const;
  if (Array.isArray(node.enum)) return random.pick(node.enum as unknown[]);
  const options = node.anyOf ?? node.oneOf;
  if (Array.isArray(options)) return fittingValue(random, random.pick(options as JsonSchema[]));
  switch (node.type) {
    case 'object': {
      const required = new Set((node.required ?? []) as string[]);
      const properties = Object.entries((node.properties ?? {}) as Record<string, JsonSchema>);
      return Object.fromEntries(
        properties
          .filter(([name]) => required.has(name) || random.next() < 0.5)
          .map(([name, inner]) => [name, fittingValue(random, inner)]),
      );
    }
    case 'array':
      return Array.from({ length: random.int(1, 3) }, () =>
        fittingValue(random, (node.items ?? true) as JsonSchema),
      );
    case 'integer':
    case 'number': {
      const least = (node.minimum as number | undefined) ?? 0;
      return random.int(least, least + 100);
    }
    case 'boolean':
      return random.next() < 0.5;
    case 'null':
      return null;
    default:
      return random.next() < 0.8 ? random.pick(TEXTS) : letters(random, random.int(1, 12));
  }
};
