import { type Fault, fault } from '../../schemas/errors.js';
import { isSealedAction } from '../../schemas/encrypt.js';
import type { Manifest } from '../../schemas/manifest.js';

export interface StartOrder {
  /** Modules that can start, each group after the one before it. */
  readonly groups: readonly (readonly string[])[];
  /** Modules that cannot start, and why: a dependency that is not there, or a circle. */
  readonly refused: ReadonlyMap<string, Fault>;
}

export const dependenciesOf = (manifest: Manifest): readonly string[] =>
  Object.keys(manifest.dependencies ?? {});

/** The first action that a module depends on and the other does not have. */
const missingAction = (manifest: Manifest, all: ReadonlyMap<string, Manifest>): string | undefined => {
  for (const [module, actions] of Object.entries(manifest.dependencies ?? {})) {
    const other = all.get(module);
    if (other === undefined) return module;
    const action = actions.find((name) => !Object.hasOwn(other.actions, name));
    if (action !== undefined) return `${module}.${action}`;
  }
  return undefined;
};

/** The first action that a module depends on, and that only people may send: its input is encrypted. */
const sealedAction = (manifest: Manifest, all: ReadonlyMap<string, Manifest>): string | undefined => {
  for (const [module, actions] of Object.entries(manifest.dependencies ?? {})) {
    const other = all.get(module);
    const sealed = actions.find((name) => {
      const action =
        other !== undefined && Object.hasOwn(other.actions, name) ? other.actions[name] : undefined;
      return other !== undefined && action !== undefined && isSealedAction(other, action);
    });
    if (sealed !== undefined) return `${module}.${sealed}`;
  }
  return undefined;
};

/** A way round the circle that this module is in: `a → b → a`. */
const circle = (start: string, all: ReadonlyMap<string, Manifest>, waiting: ReadonlySet<string>): string => {
  const path = [start];
  for (let at = start; ; ) {
    const next = dependenciesOf(all.get(at) as Manifest).find((name) => waiting.has(name));
    if (next === undefined) return path.join(' → ');
    const seen = path.indexOf(next);
    if (seen >= 0) return [...path.slice(seen), next].join(' → ');
    path.push(next);
    at = next;
  }
};

/** In which order modules start: each after those it depends on. */
export const startOrder = (all: ReadonlyMap<string, Manifest>): StartOrder => {
  const refused = new Map<string, Fault>();
  for (const [name, manifest] of all) {
    const missing = missingAction(manifest, all);
    if (missing !== undefined)
      refused.set(name, fault('DEPENDENCY_MISSING', `${name} needs ${missing}, which is not there`));
    const sealed = sealedAction(manifest, all);
    if (sealed !== undefined)
      refused.set(
        name,
        fault(
          'CALLER_FORBIDDEN',
          `${name} needs ${sealed}, whose input is encrypted: only people and their programs may send it`,
        ),
      );
  }
  const waiting = new Set([...all.keys()].filter((name) => !refused.has(name)));
  const groups: string[][] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter((name) =>
      dependenciesOf(all.get(name) as Manifest).every((other) => !waiting.has(other)),
    );
    if (ready.length === 0) {
      for (const name of waiting) {
        refused.set(name, fault('DEPENDENCY_CYCLE', `${name} cannot start: ${circle(name, all, waiting)}`));
      }
      break;
    }
    const group: string[] = [];
    for (const name of ready) {
      waiting.delete(name);
      const lost = dependenciesOf(all.get(name) as Manifest).find((other) => refused.has(other));
      if (lost === undefined) group.push(name);
      else refused.set(name, fault('DEPENDENCY_MISSING', `${name} needs ${lost}, which cannot start`));
    }
    if (group.length > 0) groups.push(group);
  }
  return { groups, refused };
};

/** The reason why a running module could not continue with changed manifests; undefined if all can. */
export const brokenBy = (
  before: ReadonlyMap<string, Manifest>,
  after: ReadonlyMap<string, Manifest>,
  running: readonly string[],
): Fault | undefined => {
  const was = startOrder(before).refused;
  const is = startOrder(after).refused;
  const name = running.find((each) => is.has(each) && !was.has(each));
  const problem = name === undefined ? undefined : is.get(name);
  return problem === undefined
    ? undefined
    : fault(
        problem.code,
        `${problem.message}, and ${name} is loaded: unload it first, or keep what it needs`,
      );
};
