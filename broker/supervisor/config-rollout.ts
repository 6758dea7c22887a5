import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { LogLevel } from '../../schemas/log-lines.js';
import type { Fault } from '../../schemas/errors.js';
import type { ConfigEffect } from '../../schemas/config-requests.js';
import { SerialQueue } from '../../system/async/serial-queue.js';
import { pause } from '../../system/async/pause.js';
import type { ModuleConfigs } from '../config/module-configs.js';
import type { SupervisedModule } from './supervised-module.js';

/** How long a process may take to tell that it has taken a configuration. */
const TAKE_MS = 10_000;

interface RolloutOptions {
  readonly find: (name: string) => SupervisedModule | undefined;
  /** Starts a module that waited for its configuration. */
  readonly load: (module: SupervisedModule) => TaskEither<Fault, void>;
  readonly configs: Pick<ModuleConfigs, 'forProcess'>;
  readonly log: (module: string, text: string, level?: LogLevel) => void;
}

/** What became of a change. `problem`: why the module does not run with it; null: nothing. */
export interface RolledOut {
  readonly effect: ConfigEffect;
  readonly problem: string | null;
}

const STORED: RolledOut = { effect: 'stored', problem: null };

const ended = (effect: ConfigEffect, how: E.Either<Fault, void>): RolledOut =>
  E.isRight(how) ? { effect, problem: null } : { effect: 'stored', problem: how.left.message };

/**
 * Brings a changed configuration to the process of its module: one change of a module after the other. What a process
 * began to handle it ends with the configuration that it began with.
 */
export class ConfigRollout {
  readonly #queues = new Map<string, SerialQueue>();

  constructor(private readonly options: RolloutOptions) {}

  roll(name: string): Promise<RolledOut> {
    const queue = this.#queues.get(name) ?? new SerialQueue();
    this.#queues.set(name, queue);
    return queue.run(() => this.#roll(name));
  }

  async #roll(name: string): Promise<RolledOut> {
    const module = this.options.find(name);
    if (module === undefined || module.stopping) return STORED;
    if (module.waitsForConfig) return ended('started', await this.options.load(module)());
    const config = this.options.configs.forProcess(module.manifest);
    if (!module.isActive) return STORED;
    // The process that runs continues with what it has, until it is whole again.
    if (E.isLeft(config)) return { effect: 'stored', problem: config.left.message };
    if (config.right === undefined) return STORED;
    const { process } = module;
    const isLive = module.manifest.configChange === 'live';
    // An earlier change in the queue has brought this one too.
    if (process?.running === true && (process.configVersion ?? 0) >= config.right.version)
      return { effect: isLive ? 'told' : 'restarted', problem: null };
    if (isLive && module.state === 'loaded' && process?.running === true) {
      process.tell(config.right);
      const problem = await this.#taken(module, config.right.version);
      if (problem === undefined) return { effect: 'told', problem: null };
      this.options.log(
        name,
        `its process does not take its configuration, and is restarted: ${problem}`,
        'warn',
      );
    }
    return ended('restarted', await module.restart());
  }

  /** Undefined: the process has taken that version. */
  async #taken(module: SupervisedModule, version: number): Promise<string | undefined> {
    const late = new AbortController();
    const timer = pause(TAKE_MS, { signal: late.signal }).then(() => undefined);
    try {
      for (;;) {
        const said = await Promise.race([module.nextConfigured(), timer]);
        if (said === undefined) return `it told nothing within ${TAKE_MS} ms`;
        if (said.version >= version) return said.problem;
      }
    } finally {
      late.abort();
    }
  }
}
