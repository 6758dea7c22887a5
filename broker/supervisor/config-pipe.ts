import { Writable } from 'node:stream';
import type { ProcessConfigLine } from '../../schemas/control.js';
import { type HideTexts, hiddenTexts } from '../../text/hidden-texts.js';
import type { ProcessConfig } from '../config/module-configs.js';
import type { ModuleSource } from './manifest-file.js';

interface ConfigPipeOptions {
  readonly source: ModuleSource;
  readonly config?: ProcessConfig | undefined;
}

/**
 * Gives a process the configuration of its module through a descriptor: no argument, no environment and no message of
 * the server has it. It knows the secrets that the process has, and hides them in what it prints.
 */
export class ConfigPipe {
  #version: number;
  readonly #secrets = new Set<string>();
  #hide: HideTexts | undefined;

  private constructor(
    private readonly pipe: Writable,
    config: ProcessConfig,
    isLive: boolean,
  ) {
    // A process that has ended already says so by its end.
    pipe.on('error', () => undefined);
    this.#version = config.version;
    this.tell(config);
    if (!isLive) pipe.end(() => pipe.destroy());
  }

  /** Undefined: the process gets no configuration, and its descriptor is closed. */
  static of(descriptor: unknown, { config, source }: ConfigPipeOptions): ConfigPipe | undefined {
    if (!(descriptor instanceof Writable)) return undefined;
    if (config !== undefined)
      return new ConfigPipe(descriptor, config, source.manifest.configChange === 'live');
    descriptor.on('error', () => undefined);
    descriptor.destroy();
    return undefined;
  }

  get version(): number {
    return this.#version;
  }

  tell({ version, config, secrets }: ProcessConfig): void {
    this.#version = version;
    for (const text of secrets) this.#secrets.add(text);
    this.#hide = hiddenTexts([...this.#secrets]);
    this.pipe.write(`${JSON.stringify({ version, config } satisfies ProcessConfigLine)}\n`);
  }

  /** A line that the process printed, without its secrets. */
  hidden(line: string): string {
    return this.#hide?.(line) ?? line;
  }
}
