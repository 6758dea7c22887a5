import * as E from 'fp-ts/lib/Either.js';
import type { Inspected } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { PlannedStart } from './start-plan.js';

const problemOf = ({ module }: Inspected, plan: readonly PlannedStart[]): string | undefined => {
  const planned = plan.find(({ source }) => source.manifest.name === module);
  if (planned === undefined) return 'this start knows no module of the name';
  if ('command' in planned.source.manifest.start)
    return 'the debugger is for JavaScript modules, and this one is a program in another language';
  return undefined;
};

/**
 * The port for a debugger, by module. USAGE for a module that this start does not know, or that no debugger of Node
 * fits.
 */
export const inspectPortsOf = (
  inspected: readonly Inspected[],
  plan: readonly PlannedStart[],
): E.Either<Fault, ReadonlyMap<string, number>> => {
  const ports = new Map<string, number>();
  for (const [i, each] of inspected.entries()) {
    const problem = problemOf(each, plan);
    if (problem !== undefined) {
      return E.left(fault('USAGE', `--inspect ${each.module}: ${problem}`, `/inspected/${i}`));
    }
    if (each.port !== 0 && [...ports.values()].includes(each.port)) {
      const message = `--inspect ${each.module}: port ${each.port} is that of another module; give each its own`;
      return E.left(fault('USAGE', message, `/inspected/${i}`));
    }
    ports.set(each.module, each.port);
  }
  return E.right(ports);
};
