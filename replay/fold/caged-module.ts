import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { loadModule } from '../../modules/host/load-module.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { MODULE_ENV } from '../../schemas/control.js';
import type { Manifest } from '../../schemas/manifest.js';
import type { CommandLine } from '../../system/cage/caged-command.js';
import type { Cage } from '../../system/cage/find-cage.js';
import { ifRefused, loneEnvironment, loneLine } from '../../system/cage/lone-code.js';
import { AnsweringProcess, ProcessGone } from '../../system/processes/answering-process.js';
import type { CodeAnswer, CodeQuestion, CodeShape, CodeThrew, Sent } from './code-messages.js';

const PROGRAM = join(import.meta.dirname, 'code-main.js');
/** Loading may wait for what a module needs at its start. */
const LOAD_MS = 30_000;
/** A fold that takes so long hangs. */
const FOLD_MS = 10_000;

/** Code of a module that folds in a cage. */
export interface CagedCode {
  readonly cage: Cage;
  readonly dir: string;
  readonly entry: string;
  readonly manifest: Manifest;
  readonly manifestPath: string;
  /** More directories of its code. */
  readonly sources?: readonly string[] | undefined;
  /** The data directory of the broker. */
  readonly secret: string | undefined;
}

const start = ({ cage, dir, manifest, manifestPath, sources = [], secret }: CagedCode): AnsweringProcess =>
  AnsweringProcess.start((questions, answers) => {
    const line: CommandLine = [process.execPath, [PROGRAM]];
    const [program, args] = loneLine(cage, line, {
      dir,
      code: [dir, dirname(manifestPath), ...sources],
      read: manifest.cage?.read,
      secret,
    });
    return spawn(program, [...args], {
      cwd: dir,
      // What the code prints must not get between what the command prints.
      stdio: ['ignore', 2, 2, questions, answers],
      env: { ...loneEnvironment(), [MODULE_ENV.name]: manifest.name, [MODULE_ENV.manifest]: manifestPath },
    });
  });

const sent = (value: unknown): Sent => (value === undefined ? {} : { value });

/** As the code threw it, where the code runs. */
const asThrown = ({ message, stack, code }: CodeThrew): Error => {
  const error = new Error(`${message}${ifRefused({ code })}`);
  return Object.assign(error, stack === undefined ? {} : { stack });
};

const notHere = (): never => {
  throw new Error('handlers do not run here');
};

/** Asks the process: a question of this thread waits for its answer. */
class CodeProcess {
  /** The numbers of states that the process has made. */
  readonly #numbers = new WeakMap<object, number>();

  constructor(private readonly process: AnsweringProcess) {}

  async load(path: string, entry: string): Promise<CodeShape> {
    const question: CodeQuestion = { kind: 'load', path, entry };
    try {
      const answer = (await this.process.askLater(question, LOAD_MS)) as CodeAnswer;
      if (answer.kind === 'threw') throw asThrown(answer.threw);
      if (answer.kind === 'loaded') return answer.shape;
      throw new Error('its process has no answer');
    } catch (thrown) {
      if (thrown instanceof ProcessGone) throw new Error(goneWhileLoading(thrown.how));
      throw thrown;
    }
  }

  evolve(event: string, before: unknown, data: unknown): unknown {
    const question = { kind: 'evolve', event, data: sent(data) } as const;
    const known = isObject(before) ? this.#numbers.get(before) : undefined;
    const first = this.#ask({ ...question, before: known ?? sent(before) });
    const answer = first.kind === 'forgotten' ? this.#ask({ ...question, before: sent(before) }) : first;
    const { number, sent: state } = valueIn(answer);
    if (isObject(state.value) && number !== undefined) this.#numbers.set(state.value, number);
    return state.value;
  }

  upcast(from: string, event: string, data: unknown): unknown {
    return valueIn(this.#ask({ kind: 'upcast', from, event, data: sent(data) })).sent.value;
  }

  #ask(question: CodeQuestion): CodeAnswer {
    const answer = this.process.ask(question, FOLD_MS) as CodeAnswer;
    if (answer.kind === 'threw') throw asThrown(answer.threw);
    return answer;
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const valueIn = (answer: CodeAnswer): Extract<CodeAnswer, { readonly kind: 'value' }> => {
  if (answer.kind !== 'value') throw new Error('its process has no answer');
  return answer;
};

/** Node ends a process so that waits at its top level while nothing can wake it. */
const WAITS_FOR_NOTHING = 'ended with exit code 13';

const goneWhileLoading = (how: string): string =>
  how === WAITS_FOR_NOTHING
    ? 'it waits at its top level for what never comes'
    : how.startsWith('ended with')
      ? `it ends its process with ${how.slice('ended with '.length)}`
      : `its process ${how}`;

const upcastOf = ({ upcast }: CodeShape, code: CodeProcess): unknown =>
  upcast === null
    ? null
    : upcast &&
      Object.fromEntries(
        upcast.map(([from, lifts]) => [
          from,
          lifts &&
            Object.fromEntries(
              lifts.map(([event, isFunction]) => [
                event,
                isFunction ? (data: unknown) => code.upcast(from, event, data) : null,
              ]),
            ),
        ]),
      );

/** The module as it is here: its functions ask the process. */
const standIn = (shape: CodeShape, code: CodeProcess): AnyModule => {
  const upcast = upcastOf(shape, code);
  const parts = {
    manifest: shape.manifest,
    initial: shape.initial.value,
    actions: Object.fromEntries(
      shape.actions.map(([name, isDecider]) => [name, isDecider ? { decide: notHere } : { run: notHere }]),
    ),
    evolve: Object.fromEntries(
      shape.events.map((event) => [
        event,
        (state: unknown, data: unknown) => code.evolve(event, state, data),
      ]),
    ),
    ...(upcast === undefined ? {} : { upcast }),
  };
  return parts as unknown as AnyModule;
};

/**
 * Loads a module whose code runs in a cage, in a process that ends with this one. Its functions can be called as if the
 * code were here. Throws as {@link loadModule} does.
 */
export const cagedModule = (code: CagedCode): Promise<AnyModule> =>
  loadModule(code.dir, code.entry, code.manifest, async (path) => {
    const process = new CodeProcess(start(code));
    return standIn(await process.load(path, code.entry), process);
  });
