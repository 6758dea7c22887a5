import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { isSealedAction } from '../../schemas/encrypt.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { MAX_PAYLOAD_BYTES } from '../../schemas/log.js';
import type { Manifest } from '../../schemas/manifest.js';
import { isPeople } from '../../schemas/names.js';
import type { TrialRecord } from '../../schemas/trial.js';
import { type Address, splitSubject } from '../../schemas/subjects.js';
import type { JsonSchema } from '../../schemas/validate.js';
import { AgentSeals } from '../../store/seals/agent-seals.js';
import type { TreeText } from '../../store/seals/key-tree.js';
import { SealFiles, tryKeys } from '../../store/seals/seal-files.js';

interface ModuleKeys {
  readonly seals: AgentSeals;
  readonly tree: TreeText;
}

/** A command that is about to be stored. */
export interface SealableCommand {
  readonly address: Address;
  readonly sender: string;
  /** Undefined: no module is known by that name. */
  readonly manifest: Manifest | undefined;
  readonly data: Uint8Array;
}

/** What an action that does not exist was sent may be anything. */
const WHOLE: JsonSchema = { sensitive: true };

const inputOf = (manifest: Manifest, name: string): JsonSchema | undefined => {
  if (manifest.encrypt !== true) return undefined;
  const action = Object.hasOwn(manifest.actions, name) ? manifest.actions[name] : undefined;
  if (action === undefined) return WHOLE;
  return isSealedAction(manifest, action) ? action.input : undefined;
};

/**
 * Encrypts what people send to modules with `encrypt`, before it is stored, and decrypts results for their callers. The
 * keys of each such module are on the disk before the first value is encrypted with them.
 */
export class Sealing {
  readonly #files: SealFiles;
  readonly #keys = new Map<string, ModuleKeys>();
  /** Of a module that wants to encrypt and cannot: nothing for it is stored. */
  readonly #problems = new Map<string, Fault>();

  private constructor(
    dataDir: string,
    private readonly log: (module: string, text: string) => void,
  ) {
    this.#files = new SealFiles(dataDir);
  }

  /** DATA_DIR_UNUSABLE, if keys are there that cannot be read. An erasure that was interrupted is completed. */
  static open(dataDir: string, log: (module: string, text: string) => void): E.Either<Fault, Sealing> {
    return tryKeys(() => {
      const sealing = new Sealing(dataDir, log);
      for (const module of sealing.#files.modules) {
        sealing.#files.finish(module);
        sealing.#use(module, sealing.#files.read(module));
      }
      return sealing;
    });
  }

  /** Makes the keys of a module that encrypts, before it runs. */
  learn({ name, encrypt }: Manifest): void {
    if (encrypt !== true) return;
    const made = tryKeys(() => this.#use(name, this.#files.make(name)));
    if (E.isRight(made)) return void this.#problems.delete(name);
    this.#problems.set(name, made.left);
    this.log(name, `no command for it is stored: ${made.left.message}`);
  }

  /** JSON of the keys, for the module's process; undefined: it has none. Left: it must have some. */
  keysOf(module: string): E.Either<Fault, string | undefined> {
    const problem = this.#problems.get(module);
    if (problem !== undefined) return E.left(problem);
    const tree = this.#keys.get(module)?.tree;
    return E.right(tree === undefined ? undefined : JSON.stringify(tree));
  }

  /** Whether the key of an agent was destroyed. */
  isErased(module: string, agent: string): boolean {
    return this.#keys.get(module)?.seals.isErased(agent) === true;
  }

  /** Names of erased agents, by module. */
  get erased(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.#keys].map(([module, { seals }]) => [module, seals.erased]));
  }

  /**
   * The payload as it may be stored. AGENT_ERASED; PAYLOAD_INVALID, PAYLOAD_TOO_LARGE. CALLER_FORBIDDEN: a module sends
   * it, and only the broker could have encrypted it.
   */
  input({ address, sender, manifest, data }: SealableCommand): E.Either<Fault, Uint8Array> {
    const { module, name, agent = '' } = address;
    const keys = this.#keys.get(module);
    if (keys === undefined) {
      if (manifest?.encrypt !== true) return E.right(data);
      return E.left(this.#problems.get(module) ?? fault('SEALED', `${module} has no keys to encrypt with`));
    }
    const schema = manifest === undefined ? WHOLE : inputOf(manifest, name);
    if (!isPeople(sender)) {
      const text = `the input of ${module}.${name} is encrypted: only people and their programs may send it`;
      return schema === undefined ? E.right(data) : E.left(fault('CALLER_FORBIDDEN', text));
    }
    return pipe(
      keys.seals.seal(agent, `cmd.${name}`, data, schema),
      E.filterOrElse(
        ({ length }) => length <= MAX_PAYLOAD_BYTES,
        ({ length }) =>
          fault(
            'PAYLOAD_TOO_LARGE',
            `the payload has ${length} bytes encrypted; the log takes ${MAX_PAYLOAD_BYTES}`,
          ),
      ),
    );
  }

  /** The body of a result for its caller. AGENT_ERASED; SEALED. */
  result({ module, agent = '' }: Address, body: Uint8Array): E.Either<Fault, Uint8Array> {
    const keys = this.#keys.get(module);
    return keys === undefined ? E.right(body) : keys.seals.open(agent, body);
  }

  /** Records of a module with their values decrypted, for a trial of its code; without those of erased agents. */
  async *opened(
    module: string,
    batches: AsyncIterable<readonly TrialRecord[]>,
  ): AsyncIterable<readonly TrialRecord[]> {
    for await (const batch of batches) {
      const seals = this.#keys.get(module)?.seals;
      yield seals === undefined ? batch : batch.flatMap((record) => openedRecord(seals, module, record));
    }
  }

  /**
   * Destroys the key of an agent: once this returns, no file has it, and this process forgets it. `already`: it was
   * destroyed before.
   */
  erase(module: string, agent: string): E.Either<Fault, { readonly already: boolean }> {
    const keys = this.#keys.get(module);
    if (keys === undefined)
      return E.left(fault('NOT_ENCRYPTED', `${module} encrypts nothing: no key could be destroyed`));
    if (keys.seals.isErased(agent)) return E.right({ already: true });
    return tryKeys(() => {
      this.#use(module, this.#files.erase(module, agent));
      keys.seals.forget();
      return { already: false };
    });
  }

  #use(module: string, tree: TreeText | undefined): void {
    if (tree !== undefined) this.#keys.set(module, { tree, seals: new AgentSeals(module, tree) });
  }
}

const openedRecord = (seals: AgentSeals, module: string, record: TrialRecord): readonly TrialRecord[] => {
  const parts = splitSubject(record.subject);
  if (parts === undefined || parts.kind === 'epoch' || parts.module !== module) return [record];
  const { agent = '' } = parts;
  if (seals.isErased(agent)) return [];
  const data = seals.open(agent, record.data);
  if (E.isLeft(data)) throw new FaultError(data.left);
  if (data.right === record.data) return [record];
  const { seq, timeMs, subject, headerBytes } = record;
  return [{ seq, timeMs, subject, headerBytes, data: data.right }];
};
