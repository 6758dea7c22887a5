interface Node {
  readonly next: Map<string, Node>;
  /** A filter ends here. */
  isEnd: boolean;
}

const newNode = (): Node => ({ next: new Map(), isEnd: false });

/**
 * Subjects that match one of some filters, as NATS has them: `*` stands for one token, `>` for all that follow. What a
 * look at a subject costs does not grow with the number of filters.
 */
export class SubjectSet {
  static readonly none = new SubjectSet([]);
  static readonly all = new SubjectSet(['>']);

  readonly #root = newNode();
  readonly isEmpty: boolean;

  constructor(filters: Iterable<string>) {
    let isEmpty = true;
    for (const filter of filters) {
      isEmpty = false;
      let node = this.#root;
      for (const token of filter.split('.')) {
        const next = node.next.get(token) ?? newNode();
        node.next.set(token, next);
        node = next;
      }
      node.isEnd = true;
    }
    this.isEmpty = isEmpty;
  }

  has(subject: string): boolean {
    return !this.isEmpty && isUnder(this.#root, subject.split('.'), 0);
  }
}

const isUnder = ({ next, isEnd }: Node, tokens: readonly string[], at: number): boolean => {
  const token = tokens[at];
  if (token === undefined) return isEnd;
  if (next.has('>')) return true;
  const named = next.get(token);
  if (named !== undefined && token !== '*' && isUnder(named, tokens, at + 1)) return true;
  const any = next.get('*');
  return any !== undefined && isUnder(any, tokens, at + 1);
};
