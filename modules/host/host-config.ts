import { Socket } from 'node:net';
import { isLeft } from 'fp-ts/lib/Either.js';
import { MODULE_ENV, type ProcessConfigLine } from '../../schemas/control.js';
import { FaultError } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import { configKeys, textsIn } from '../../schemas/module-config.js';
import { type HideTexts, hiddenTexts } from '../../text/hidden-texts.js';
import { frozenConfig } from '../sdk/given-config.js';
import { compileWhole } from '../sdk/own-check.js';
import type { AnyModule } from '../sdk/module-shape.js';
import type { ConfigCell } from './handle-command.js';

/** The lines of a descriptor, one after the other. */
async function* linesOf(fd: number): AsyncGenerator<string> {
  const socket = new Socket({ fd, readable: true, writable: false });
  let rest = '';
  socket.setEncoding('utf8');
  for await (const chunk of socket) {
    rest += chunk as string;
    for (let at = rest.indexOf('\n'); at !== -1; at = rest.indexOf('\n')) {
      const line = rest.slice(0, at);
      rest = rest.slice(at + 1);
      // Later lines are no reason for the process to stay.
      socket.unref();
      yield line;
    }
  }
}

const secretsIn = (manifest: Pick<Manifest, 'config'>, config: Readonly<Record<string, unknown>>) =>
  configKeys(manifest).flatMap(({ key, isSecret }) => (isSecret ? textsIn(config[key]) : []));

/** The configuration of this process: what handlers see now, and the changes that come while it runs. */
export class HostConfig implements ConfigCell {
  #current: unknown;
  /** Of all configurations that the process had: an old secret is one too. */
  readonly #secrets = new Set<string>();
  #hide: HideTexts | undefined;

  private constructor(
    private readonly lines: AsyncGenerator<string>,
    readonly version: number,
    private readonly first: Readonly<Record<string, unknown>>,
  ) {}

  /** Reads the first line of the descriptor that the broker has named; undefined: the module declares none. */
  static async open(): Promise<HostConfig | undefined> {
    const named = process.env[MODULE_ENV.configFd];
    if (named === undefined) return undefined;
    delete process.env[MODULE_ENV.configFd];
    const lines = linesOf(Number(named));
    const line = await lines.next();
    if (line.done === true)
      throw new Error('the broker ended before it gave the configuration of the module');
    const { version, config } = JSON.parse(line.value) as ProcessConfigLine;
    return new HostConfig(lines, version, config);
  }

  get current(): unknown {
    return this.#current;
  }

  /** Hides secrets in what becomes a record; undefined: there are none. */
  get hide(): HideTexts | undefined {
    return this.#hide;
  }

  /** Takes the configuration that the process began with. Throws CONFIG_INVALID by the check of a schema's library. */
  begin(module: AnyModule): void {
    this.#take(module, this.first);
  }

  /** Takes each later configuration, and tells how that went. Returns when there are no more. */
  async follow(module: AnyModule, told: (version: number, error: unknown) => void): Promise<void> {
    for await (const line of this.lines) {
      const { version, config } = JSON.parse(line) as ProcessConfigLine;
      try {
        this.#learn(module, config);
        await module.onConfig?.(frozenConfig(config) as never);
        this.#take(module, config);
        told(version, undefined);
      } catch (error) {
        told(version, error ?? new Error('undefined was thrown'));
      }
    }
  }

  #learn({ manifest }: AnyModule, config: Readonly<Record<string, unknown>>): void {
    for (const text of secretsIn(manifest, config)) this.#secrets.add(text);
    this.#hide = hiddenTexts([...this.#secrets]);
  }

  /** The broker has checked it by the JSON Schema; a schema of a library may say more. */
  #take(module: AnyModule, config: Readonly<Record<string, unknown>>): void {
    this.#learn(module, config);
    const { config: schema = true } = module.manifest;
    const checked = compileWhole(schema, 'CONFIG_INVALID', 'configuration')(config);
    if (isLeft(checked)) throw new FaultError(checked.left);
    this.#current = frozenConfig(config);
  }
}
