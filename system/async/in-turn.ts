import { SerialQueue } from './serial-queue.js';

const queues = new Map<string, SerialQueue>();

/** Runs tasks of the same name one after the other. Tasks of different names run at the same time. */
export const inTurn = async <A>(name: string, task: () => Promise<A>): Promise<A> => {
  const queue = queues.get(name) ?? new SerialQueue();
  queues.set(name, queue);
  try {
    return await queue.run(task);
  } finally {
    if (queue.length === 0) queues.delete(name);
  }
};
