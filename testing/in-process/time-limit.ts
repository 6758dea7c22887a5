import { setTimeout as setTimer } from 'node:timers';

/** Fake timers of a test runner replace the global one later, and some of them this one too. */
const setRealTimer = setTimer;

/** Whether the work ends within so many real milliseconds. Throws what the work throws. */
export const endsWithin = async (ms: number, work: Promise<void>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setRealTimer(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true as const), late]);
  } finally {
    timer?.close();
  }
};
