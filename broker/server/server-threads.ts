import { availableParallelism } from 'node:os';

/**
 * `GOMAXPROCS` of the embedded server on a machine of two processors: one. A server that takes both wakes its idle
 * threads for nearly each message, in the way of the broker and the modules (docs/decisions/0061). Elsewhere Go
 * decides. It also knows the limits of a container.
 */
export const serverThreads = (processors = availableParallelism()): { readonly GOMAXPROCS?: string } =>
  processors === 2 ? { GOMAXPROCS: '1' } : {};
