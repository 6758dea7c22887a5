import { createHash, createHmac, randomBytes } from 'node:crypto';

/**
 * The keys of all agents of one module, as a tree. The key of an agent is a leaf. Its path is made of the agent's name.
 * Each node gives the keys of its children, so one random root stands for the keys of all agents, and a key needs no
 * write when its agent is new. To erase an agent is to replace the nodes on its path by all their other children: no
 * key that is left leads to the leaf of that agent, and all other leaves stay as they are.
 */

/** What a tree is in a file: nodes by their path, in base64. */
export interface TreeText {
  /** Tells this tree apart from all others: each sealed value names it. */
  readonly id: string;
  /** Paths are made of names with it, so nobody can choose two names with one path. */
  readonly pathKey: string;
  readonly nodes: Readonly<Record<string, string>>;
  /** Names of the erased agents. */
  readonly erased: readonly string[];
}

const KEY_BYTES = 32;
const ID_BYTES = 6;
/** Children of a node. With fewer, a key takes longer; with more, the file grows faster with each erased agent. */
const CHILDREN = ['0', '1', '2', '3', '4', '5', '6', '7'] as const;
/** Two agents of a million have the same path with a probability of 6 in 100 million. */
const LEVELS = 21;

/** Nodes are random and of one length, so a plain hash does, in half the time of an HMAC. */
const child = (node: Buffer, digit: string): Buffer =>
  createHash('sha256').update(node).update(digit).digest();

export class KeyTree {
  readonly #nodes: ReadonlyMap<string, Buffer>;
  readonly #erased: ReadonlySet<string>;

  private constructor(
    readonly id: string,
    private readonly pathKey: Buffer,
    nodes: ReadonlyMap<string, Buffer>,
    erased: ReadonlySet<string>,
  ) {
    this.#nodes = nodes;
    this.#erased = erased;
  }

  static make(): KeyTree {
    const id = randomBytes(ID_BYTES).toString('hex');
    return new KeyTree(id, randomBytes(KEY_BYTES), new Map([['', randomBytes(KEY_BYTES)]]), new Set());
  }

  static read({ id, pathKey, nodes, erased }: TreeText): KeyTree {
    const read = Object.entries(nodes).map(([path, key]) => [path, Buffer.from(key, 'base64')] as const);
    return new KeyTree(id, Buffer.from(pathKey, 'base64'), new Map(read), new Set(erased));
  }

  get text(): TreeText {
    return {
      id: this.id,
      pathKey: this.pathKey.toString('base64'),
      nodes: Object.fromEntries([...this.#nodes].map(([path, key]) => [path, key.toString('base64')])),
      erased: [...this.#erased],
    };
  }

  get erased(): readonly string[] {
    return [...this.#erased];
  }

  isErased(agent: string): boolean {
    return this.#erased.has(agent);
  }

  /** The key of an agent; undefined if it is erased. */
  key(agent: string): Buffer | undefined {
    const path = this.#path(agent);
    const known = this.#above(path);
    if (known === undefined) return undefined;
    let node = this.#nodes.get(known) as Buffer;
    for (const digit of path.slice(known.length)) node = child(node, digit);
    return node;
  }

  /** The tree without the key of an agent. */
  without(agent: string): KeyTree {
    const erased = new Set([...this.#erased, agent]);
    const path = this.#path(agent);
    const known = this.#above(path);
    if (known === undefined) return new KeyTree(this.id, this.pathKey, this.#nodes, erased);
    const nodes = new Map(this.#nodes);
    let node = nodes.get(known) as Buffer;
    nodes.delete(known);
    for (let level = known.length; level < LEVELS; level++) {
      const [above, next] = [path.slice(0, level), path.charAt(level)];
      for (const digit of CHILDREN) if (digit !== next) nodes.set(`${above}${digit}`, child(node, digit));
      node = child(node, next);
    }
    return new KeyTree(this.id, this.pathKey, nodes, erased);
  }

  /** Forgets all keys: the memory of this process has them no more. */
  forget(): void {
    for (const node of this.#nodes.values()) node.fill(0);
  }

  /** The path of the node that leads to a leaf. */
  #above(path: string): string | undefined {
    for (let length = 0; length <= LEVELS; length++) {
      const above = path.slice(0, length);
      if (this.#nodes.has(above)) return above;
    }
    return undefined;
  }

  #path(agent: string): string {
    const digest = createHmac('sha256', this.pathKey).update(agent).digest();
    return digest
      .readBigUInt64BE()
      .toString(8)
      .padStart(LEVELS + 1, '0')
      .slice(-LEVELS);
  }
}
