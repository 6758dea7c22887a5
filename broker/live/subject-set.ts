interface Node {
  readonly next: Map<string, Node>;
  /** A filter ends here. */
  isEnd: boolean;
}

const newNode = (): Node => ({ next: new Map(), isEnd: false });

/**
 * Subjects that match one of some filters, as NATS has them: `*` stands for one part, `>` for all that follow. What a
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
      for (const part of filter.split('.')) {
        const next = node.next.get(part) ?? newNode();
        node.next.set(part, next);
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

const isUnder = ({ next, isEnd }: Node, parts: readonly string[], at: number): boolean => {
  const part = parts[at];
  if (part === undefined) return isEnd;
  if (next.has('>')) return true;
  const named = next.get(part);
  if (named !== undefined && part !== '*' && isUnder(named, parts, at + 1)) return true;
  const any = next.get('*');
  return any !== undefined && isUnder(any, parts, at + 1);
};
