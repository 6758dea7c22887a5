/** The meaning of a key. */
type Wish = 'next' | 'previous' | 'whole' | 'quit';

const WISHES: Readonly<Record<string, Wish>> = {
  n: 'next',
  ' ': 'next',
  '\r': 'next',
  '\n': 'next',
  '\u001b[C': 'next',
  '\u001b[B': 'next',
  p: 'previous',
  '\u001b[D': 'previous',
  '\u001b[A': 'previous',
  s: 'whole',
  q: 'quit',
  '\u0003': 'quit',
  '\u0004': 'quit',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: an arrow is three characters, the first of them an escape
const KEYS = /\u001b\[[A-D]|[\s\S]/g;

/** Steps that you can go back to. */
const KEPT = 1_000;

export const STEPPER_HELP = 'n or enter: next, p: back, s: the whole state, q: quit';

export interface StepperOutput<Step> {
  readonly show: (step: Step) => void;
  readonly showWhole: (step: Step) => void;
  readonly say: (line: string) => void;
}

async function* wishes(chunks: AsyncIterable<string>): AsyncGenerator<Wish, void, void> {
  for await (const chunk of chunks) {
    for (const key of chunk.match(KEYS) ?? []) {
      const wish = WISHES[key];
      if (wish !== undefined) yield wish;
    }
  }
}

/**
 * Goes through steps by key, from the first one on. Returns the number of shown steps. `chunks`: the input of the
 * keyboard, one or more keys at a time. A step is computed only when a key asks for it.
 */
export const stepThrough = async <Step>(
  steps: AsyncGenerator<Step, void, void>,
  chunks: AsyncIterable<string>,
  { show, showWhole, say }: StepperOutput<Step>,
): Promise<number> => {
  const kept: Step[] = [];
  let [at, shown] = [-1, 0];
  const next = async (): Promise<void> => {
    if (at === kept.length - 1) {
      const made = await steps.next();
      if (made.done === true) return say('that was the last');
      kept.push(made.value);
      if (kept.length > KEPT) kept.shift();
      else at += 1;
      shown += 1;
    } else at += 1;
    show(kept[at] as Step);
  };
  await next();
  if (shown === 0) return 0;
  say(STEPPER_HELP);
  for await (const wish of wishes(chunks)) {
    if (wish === 'quit') break;
    if (wish === 'next') await next();
    else if (wish === 'whole') showWhole(kept[at] as Step);
    else if (at === 0) say(shown > kept.length ? 'no step before this one is kept' : 'that is the first');
    else {
      at -= 1;
      show(kept[at] as Step);
    }
  }
  await steps.return();
  return shown;
};
