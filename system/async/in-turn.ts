const last = new Map<string, Promise<unknown>>();

/** Runs what concerns one name one after the other. */
export const inTurn = async <A>(name: string, run: () => Promise<A>): Promise<A> => {
  const before = last.get(name) ?? Promise.resolve();
  const mine = before.then(run, run);
  last.set(name, mine);
  try {
    return await mine;
  } finally {
    if (last.get(name) === mine) last.delete(name);
  }
};
