/** Asks again only if the last answer is older than this: an answer that nobody misses must not cost a request. */
export const lately = <T>(ask: () => Promise<T>, oldMs: number): (() => Promise<T>) => {
  let last: { readonly atMs: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const now = performance.now();
    if (last !== undefined && now - last.atMs < oldMs) return last.answer;
    const asked = { atMs: now, answer: ask() };
    last = asked;
    // What failed is asked again.
    asked.answer.catch(() => {
      if (last === asked) last = undefined;
    });
    return asked.answer;
  };
};
