/** What a generator yields, each changed by `change`, and what it returns. */
export async function* mapped<From, To, End>(
  from: AsyncGenerator<From, End>,
  change: (value: From) => To,
): AsyncGenerator<To, End> {
  for (;;) {
    const step = await from.next();
    if (step.done === true) return step.value;
    yield change(step.value);
  }
}
