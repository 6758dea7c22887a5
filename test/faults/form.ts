/**
 * Whether the fault tests run in full (`npm run test:faults`): pauses of 40 s, a minute of overload, every variant. In
 * every other run they have their short form: the same faults, shorter or fewer of them.
 */
export const IN_FULL = process.env.FAULTS === 'full';
