import type { AnyModule } from '../sdk/module-shape.js';
import { clip, printable } from '../../text/printable.js';

const PARTS = ['manifest', 'actions', 'evolve'] as const;
const MAX_NAMES = 20;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Whether a value has the parts of a module. */
export const isModule = (value: unknown): value is AnyModule =>
  isObject(value) && PARTS.every((part) => isObject(value[part]));

const namesOf = (value: unknown): readonly string[] =>
  isObject(value) || typeof value === 'function'
    ? Object.keys(value).filter((name) => name !== 'module.exports' && name !== '__esModule')
    : [];

const list = (names: readonly string[]): string => {
  const shown = names.slice(0, MAX_NAMES).map((name) => clip(printable(name), 64));
  return [...shown, ...(names.length > MAX_NAMES ? [`${names.length - MAX_NAMES} more`] : [])].join(', ');
};

/** What a value lacks that is no module. */
export const lackOf = (value: unknown): string => {
  if (typeof value === 'function') return 'is a function';
  if (!isObject(value)) return `is ${value === null ? 'null' : typeof value}`;
  if (value instanceof Promise) return 'is a promise';
  return `has no ${PARTS.filter((part) => !isObject(value[part])).join(', no ')}`;
};

/** What is wrong with an existing default export. */
const whyNone = (value: unknown): string => {
  if (typeof value === 'function')
    return `${lackOf(value)}: export the module that it makes, not the function`;
  if (value instanceof Promise) return `${lackOf(value)}: \`export default await …\` exports what it gives`;
  return lackOf(value);
};

/**
 * The module among what an entry file exports, or why there is none. Where a compiler made a CommonJS file of
 * `export default`, Node gives `module.exports` as the default export, which has the module as its `default`.
 */
export const moduleExport = (
  entry: string,
  exports: Readonly<Record<string, unknown>>,
): { readonly module: AnyModule } | { readonly problem: string } => {
  const { default: outer } = exports;
  const inner = isObject(outer) ? outer.default : undefined;
  for (const module of [outer, inner]) if (isModule(module)) return { module };
  const wanted = `${entry} has no default export made with defineModule`;
  const named = [exports, outer].flatMap((from) =>
    isObject(from) ? Object.entries(from).flatMap(([name, value]) => (isModule(value) ? [name] : [])) : [],
  )[0];
  if (named !== undefined)
    return { problem: `${wanted}: its export ${named} is a module; write \`export default ${named}\`` };
  const found = inner ?? outer;
  const names = namesOf(exports);
  const others = names.length === 0 ? 'it exports nothing' : `it exports ${list(names)}`;
  if (found === undefined) return { problem: `${wanted}: ${others}` };
  const inside = namesOf(found);
  const has = inside.length === 0 ? 'it has nothing in it' : `it has ${list(inside)}`;
  return { problem: `${wanted}: its default export ${whyNone(found)}; ${has}` };
};
