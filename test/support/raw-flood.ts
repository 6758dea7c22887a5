import { Worker } from 'node:worker_threads';

/** Requests of one guest that never waits for an answer. */
export interface FloodPlan {
  readonly url: string;
  readonly connections: number;
  /** Bytes of the payloads, in turn. */
  readonly sizes: readonly number[];
  /** What is asked for, in turn. */
  readonly subjects: readonly string[];
  /** Whether it reads what it is answered. */
  readonly isReading: boolean;
}

/** Floods from a thread, so that the measuring thread has its event loop for itself; ends when it is disposed of. */
export const rawFlood = async (plan: FloodPlan): Promise<AsyncDisposable> => {
  const worker = new Worker(new URL('./raw-flood-main.js', import.meta.url), { workerData: plan });
  await new Promise((resolve) => worker.once('online', resolve));
  return {
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
};
