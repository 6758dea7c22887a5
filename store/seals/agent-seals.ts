import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { seal, sealWhole } from '../../schemas/sealed.js';
import { openSealed } from '../../schemas/sealed-value.js';
import type { JsonSchema } from '../../schemas/validate.js';
import { KeyTree, type TreeText } from './key-tree.js';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Of the text of a sealed value: `1.<tree>.<nonce, ciphertext and tag in base64url>`. */
const VERSION = '1';
/** Keys in memory. With more agents in use at a time, some are derived again. */
const MOST_KEYS = 10_000;

interface AgentKeys {
  readonly cipher: Buffer;
  readonly nonce: Buffer;
}

const erasedFault = (module: string, agent: string): Fault =>
  fault('AGENT_ERASED', `agent ${agent} of ${module} was erased: the key of its values is destroyed`);

/** Encrypts and decrypts the values of one module's agents, each with the key of its agent. */
export class AgentSeals {
  readonly #tree: KeyTree;
  readonly #keys = new Map<string, AgentKeys>();

  constructor(
    readonly module: string,
    tree: TreeText,
  ) {
    this.#tree = KeyTree.read(tree);
  }

  /** Of the tree. */
  get id(): string {
    return this.#tree.id;
  }

  get erased(): readonly string[] {
    return this.#tree.erased;
  }

  isErased(agent: string): boolean {
    return this.#tree.isErased(agent);
  }

  /** AGENT_ERASED. */
  check(agent: string): E.Either<Fault, void> {
    return this.isErased(agent) ? E.left(erasedFault(this.module, agent)) : E.right(undefined);
  }

  /**
   * The payload with what the schema marks encrypted; without a schema, it is only checked. `kind`: what it is, such as
   * `evt.sold`. AGENT_ERASED; PAYLOAD_INVALID, see {@link seal}.
   */
  seal(
    agent: string,
    kind: string,
    bytes: Uint8Array,
    schema: JsonSchema | undefined,
  ): E.Either<Fault, Uint8Array> {
    const keys = this.#of(agent);
    if (keys === undefined) return E.left(erasedFault(this.module, agent));
    return seal(bytes, schema, (plain) => this.#sealed(agent, keys, kind, plain));
  }

  /** The same of all of the bytes. Throws AGENT_ERASED. */
  sealWhole(agent: string, kind: string, bytes: Uint8Array): Uint8Array {
    const keys = this.#of(agent);
    if (keys === undefined) throw new FaultError(erasedFault(this.module, agent));
    return sealWhole(bytes, (plain) => this.#sealed(agent, keys, kind, plain));
  }

  /** The payload as it was before {@link seal}. AGENT_ERASED; SEALED, if its key is another one. */
  open(agent: string, bytes: Uint8Array): E.Either<Fault, Uint8Array> {
    try {
      const keys = this.#of(agent);
      const opened = openSealed(
        bytes,
        (text) => (keys === undefined ? undefined : this.#opened(agent, keys, text)),
        () => {
          throw new FaultError(
            this.isErased(agent) ? erasedFault(this.module, agent) : this.#otherKey(agent),
          );
        },
      );
      return E.right(opened);
    } catch (thrown) {
      if (thrown instanceof FaultError) return E.left(thrown.fault);
      throw thrown;
    }
  }

  /** Forgets all keys. */
  forget(): void {
    this.#tree.forget();
    for (const { cipher, nonce } of this.#keys.values()) for (const key of [cipher, nonce]) key.fill(0);
    this.#keys.clear();
  }

  #otherKey(agent: string): Fault {
    const text = `the keys in this data directory do not open a value of agent ${agent} of ${this.module}`;
    return fault('SEALED', `${text}: it was encrypted with others`);
  }

  #of(agent: string): AgentKeys | undefined {
    const known = this.#keys.get(agent);
    if (known !== undefined) return known;
    if (this.isErased(agent)) return undefined;
    const key = this.#tree.key(agent);
    if (key === undefined) return undefined;
    const derived = (use: string): Buffer => createHmac('sha256', key).update(use).digest();
    const keys = { cipher: derived('cipher'), nonce: derived('nonce') };
    key.fill(0);
    if (this.#keys.size >= MOST_KEYS) this.#keys.delete(this.#keys.keys().next().value as string);
    this.#keys.set(agent, keys);
    return keys;
  }

  #about(agent: string): Buffer {
    return Buffer.from(`${this.module}\n${agent}`);
  }

  /**
   * The nonce is made of the value: the same value of the same kind gives the same text. A command that is sent twice
   * with one key is then the same command in the log, and no other two values share a nonce.
   */
  #sealed(agent: string, keys: AgentKeys, kind: string, plain: Uint8Array): string {
    const nonce = createHmac('sha256', keys.nonce)
      .update(`${kind}\n`)
      .update(plain)
      .digest()
      .subarray(0, NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, keys.cipher, nonce);
    cipher.setAAD(this.#about(agent));
    const bytes = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return `${VERSION}.${this.#tree.id}.${bytes.toString('base64url')}`;
  }

  #opened(agent: string, keys: AgentKeys, text: string): Uint8Array | undefined {
    const [version, tree, encoded = ''] = text.split('.');
    const bytes = Buffer.from(encoded, 'base64url');
    if (version !== VERSION || tree !== this.#tree.id || bytes.length < NONCE_BYTES + TAG_BYTES)
      return undefined;
    const decipher = createDecipheriv(CIPHER, keys.cipher, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(this.#about(agent));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    try {
      const inner = bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES);
      return Buffer.concat([decipher.update(inner), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}
