/** The processor time of this process, in milliseconds. A busy machine does not make it longer, as it does the clock. */
export const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
