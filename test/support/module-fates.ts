/** What must be known of a module: `never` and `removed` are unknown, and differ in words only. */
export type Intent = 'never' | 'loaded' | 'unloaded' | 'removed';
export type Change = 'load' | 'unload' | 'reload' | 'remove';

/** What becomes of a command that the log has. `either`: it was on its way when the module came or went. */
type Fate = 'waits' | 'handled' | 'unknown' | 'either';

interface Sent<Name> {
  readonly seq: number;
  readonly name: Name;
  fate: Fate;
  isAnswered: boolean;
}

const EXPECTED: Readonly<Record<Exclude<Fate, 'waits'>, readonly string[]>> = {
  handled: ['ok'],
  unknown: ['MODULE_UNKNOWN'],
  either: ['ok', 'MODULE_UNKNOWN'],
};

/**
 * The little that has to be true of modules that come and go: one that was loaded is known until it is removed, its commands
 * wait until it runs, and those of a module that is unknown are answered so. No restart of a broker changes that.
 */
export class ModuleFates<Name extends string> {
  readonly #intents = new Map<Name, Intent>();
  #sent: Sent<Name>[] = [];

  intent(name: Name): Intent {
    return this.#intents.get(name) ?? 'never';
  }

  isKnown(name: Name): boolean {
    const intent = this.intent(name);
    return intent === 'loaded' || intent === 'unloaded';
  }

  isRefused(change: Change, name: Name): boolean {
    return change === 'load' ? this.intent(name) === 'loaded' : !this.isKnown(name);
  }

  /** The log has a command of this module. Whether it has to wait. */
  sent(seq: number, name: Name): boolean {
    const intent = this.intent(name);
    const fate = intent === 'loaded' ? 'handled' : intent === 'unloaded' ? 'waits' : 'unknown';
    this.#sent.push({ seq, name, fate, isAnswered: false });
    return fate === 'waits';
  }

  /** A command has its answer: what is done next cannot change that. */
  answered(seq: number): void {
    for (const each of this.#sent) if (each.seq === seq) each.isAnswered = true;
  }

  /** The change is done. How many commands waited for the module before: at least, and at most. */
  done(change: Change, name: Name): { readonly least: number; readonly most: number } {
    const open = this.#sent.filter((each) => each.name === name && !each.isAnswered);
    const least = open.filter(({ fate }) => fate === 'waits').length;
    if (change === 'unload') this.#intents.set(name, 'unloaded');
    else if (change === 'remove') {
      this.#intents.set(name, 'removed');
      for (const each of open) each.fate = each.fate === 'waits' ? 'unknown' : 'either';
    } else {
      this.#intents.set(name, 'loaded');
      for (const each of open)
        if (each.fate !== 'handled') each.fate = each.fate === 'waits' ? 'handled' : 'either';
    }
    return { least, most: open.length };
  }

  /** What is wrong with the answers, by the sequences of their commands: `ok`, or the code of the failure. */
  findings(answers: ReadonlyMap<number, string>): readonly string[] {
    return this.#sent.flatMap(({ seq, name, fate }) => {
      const answer = answers.get(seq);
      const where = `I3 command ${seq} of ${name}`;
      if (fate === 'waits')
        return answer === undefined ? [] : [`${where} was to wait, and is answered ${answer}`];
      if (answer !== undefined && EXPECTED[fate].includes(answer)) return [];
      return [`${where} is answered ${answer}, not ${EXPECTED[fate].join(' or ')}`];
    });
  }

  /** Forgets the commands: each was compared with its answer. */
  clear(): void {
    this.#sent = [];
  }
}
