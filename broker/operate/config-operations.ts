import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import {
  type ConfigChange,
  type ConfigEntry,
  type ConfigKeyRequest,
  ConfigKeyRequestSchema,
  type ConfigList,
  type ConfigListRequest,
  ConfigListRequestSchema,
  type ConfigOfModule,
  type ConfigSetRequest,
  ConfigSetRequestSchema,
  type RevealedConfig,
} from '../../schemas/config-requests.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import { checkConfigValue, type ConfigKey, configKey, configKeys } from '../../schemas/module-config.js';
import { OPS } from '../../schemas/operate.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { KeyChange, ModuleConfigs } from '../config/module-configs.js';
import type { Body, Handler } from '../serving/serve-requests.js';
import type { SupervisedModules } from '../supervisor/supervised-modules.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import { answerWithin } from './answer-within.js';

export interface ConfigContext {
  readonly configs: ModuleConfigs;
  readonly modules: Pick<SupervisedModules, 'find' | 'all'>;
  readonly supervisor: Pick<Supervisor, 'configured'>;
}

const checkList = compileOnUse<ConfigListRequest>(ConfigListRequestSchema, 'PAYLOAD_INVALID', 'request');
const checkSet = compileOnUse<ConfigSetRequest>(ConfigSetRequestSchema, 'PAYLOAD_INVALID', 'request');
const checkKey = compileOnUse<ConfigKeyRequest>(ConfigKeyRequestSchema, 'PAYLOAD_INVALID', 'request');

const defaultOf = ({ schema }: ConfigKey): { default?: unknown } => {
  const { default: given } = schema as { readonly default?: unknown };
  return given === undefined ? {} : { default: given };
};

const descriptionOf = (schema: unknown): string | null => {
  const { description } = schema as { readonly description?: unknown };
  return typeof description === 'string' ? description : null;
};

/** The requests of operators about the configuration of modules. The server has told who asks. */
export class ConfigOperations {
  constructor(private readonly context: ConfigContext) {}

  /** The handler of `ops.config.…`; `by`: the account that asks. */
  handler(subject: string, by: string): Handler | undefined {
    switch (subject) {
      case OPS.configList:
        return (body) =>
          TE.fromEither(
            pipe(
              checkList(body),
              E.chain((asked) => this.#list(asked)),
            ),
          );
      case OPS.configSet:
        return (body, late) => pipe(this.#set(body, by), answerWithin(body, 'the restart', late));
      case OPS.configUnset:
        return (body, late) => pipe(this.#unset(body), answerWithin(body, 'the restart', late));
      case OPS.configReveal:
        return (body) =>
          TE.fromEither(
            pipe(
              checkKey(body),
              E.chain((asked) => this.#reveal(asked)),
            ),
          );
      default:
        return undefined;
    }
  }

  #list({ module }: ConfigListRequest): E.Either<Fault, ConfigList> {
    const { modules } = this.context;
    if (module !== undefined)
      return pipe(
        this.#known(module),
        E.map((manifest) => ({ modules: [this.#ofModule(manifest)] })),
      );
    const all = [...modules.all()].map(({ manifest }) => manifest);
    const isConfigured = ({ name, config }: Manifest): boolean =>
      config !== undefined || Object.keys(this.context.configs.of(name).keys).length > 0;
    return E.right({ modules: all.filter(isConfigured).map((manifest) => this.#ofModule(manifest)) });
  }

  #ofModule(manifest: Manifest): ConfigOfModule {
    const { configs } = this.context;
    const { name, configChange = 'restart' } = manifest;
    const { version, keys } = configs.of(name);
    const declared = this.#declared(manifest);
    const others = Object.keys(keys).filter((key) => declared.every((each) => each.key !== key));
    const entry = (key: string, of: ConfigKey | undefined): ConfigEntry => {
      const stored = Object.hasOwn(keys, key) ? keys[key] : undefined;
      const secret = of?.isSecret === true || (stored !== undefined && 'sealed' in stored);
      return {
        key,
        secret,
        required: of?.isRequired ?? false,
        set: stored !== undefined,
        ...(stored !== undefined && !secret && 'value' in stored ? { value: stored.value } : {}),
        ...(of === undefined ? {} : defaultOf(of)),
        description: of === undefined ? null : descriptionOf(of.schema),
        by: stored?.by ?? null,
        at: stored?.at ?? null,
        schema: of?.schema ?? null,
      };
    };
    const ready = configs.forProcess(manifest);
    return {
      module: name,
      version,
      change: configChange,
      problem: E.isLeft(ready) ? `${ready.left.code}: ${ready.left.message}` : null,
      keys: [...declared.map((of) => entry(of.key, of)), ...others.map((key) => entry(key, undefined))],
    };
  }

  /** With the keys of a version that waits for them. */
  #declared(manifest: Manifest): readonly ConfigKey[] {
    const now = configKeys(manifest);
    const wanted = this.context.configs.wantedBy(manifest.name);
    const names = new Set(now.map(({ key }) => key));
    return [...now, ...(wanted === undefined ? [] : configKeys(wanted)).filter(({ key }) => !names.has(key))];
  }

  #set(body: Body, by: string): TE.TaskEither<Fault, ConfigChange> {
    const stored = pipe(
      checkSet(body),
      E.bindTo('asked'),
      E.bind('manifest', ({ asked }) => this.#known(asked.module)),
      E.bind('of', ({ asked, manifest }) => this.#keyOf(manifest, asked.key)),
      E.chainFirst(({ asked, of }) => checkConfigValue(of.manifest, of.declared, asked.value)),
      E.chain(({ asked, of }) =>
        pipe(
          this.context.configs.set(asked.module, of.declared, asked.value, by),
          E.map((change) => ({ ...asked, change })),
        ),
      ),
    );
    return this.#rolledOut(stored);
  }

  #unset(body: Body): TE.TaskEither<Fault, ConfigChange> {
    const stored = pipe(
      checkKey(body),
      E.chainFirst(({ module, key }) =>
        pipe(
          this.#known(module),
          // A key that no version declares any more can still have a value.
          E.chain(
            (manifest): E.Either<Fault, unknown> =>
              Object.hasOwn(this.context.configs.of(module).keys, key)
                ? E.right(undefined)
                : this.#keyOf(manifest, key),
          ),
        ),
      ),
      E.chain(({ module, key }) =>
        pipe(
          this.context.configs.unset(module, key),
          E.map((change) => ({ module, key, change })),
        ),
      ),
    );
    return this.#rolledOut(stored);
  }

  #rolledOut(
    stored: E.Either<Fault, { readonly module: string; readonly key: string; readonly change: KeyChange }>,
  ): TE.TaskEither<Fault, ConfigChange> {
    return async () => {
      if (E.isLeft(stored)) return stored;
      const { module, key, change } = stored.right;
      const rolled = await this.context.supervisor.configured(module);
      return E.right({ module, key, ...change, ...rolled });
    };
  }

  #reveal({ module, key }: ConfigKeyRequest): E.Either<Fault, RevealedConfig> {
    const { configs } = this.context;
    return pipe(
      this.#known(module),
      E.chainFirst(
        (manifest): E.Either<Fault, unknown> =>
          Object.hasOwn(configs.of(module).keys, key) ? E.right(undefined) : this.#keyOf(manifest, key),
      ),
      E.chain(() => configs.value(module, key)),
      E.map((value) => ({ module, key, value: value ?? null })),
    );
  }

  #keyOf(manifest: Manifest, key: string): E.Either<Fault, { manifest: Manifest; declared: ConfigKey }> {
    const wanted = this.context.configs.wantedBy(manifest.name);
    const found = pipe(
      configKey(manifest, key),
      E.map((declared) => ({ manifest, declared })),
    );
    if (E.isRight(found) || wanted === undefined) return found;
    return pipe(
      configKey(wanted, key),
      E.map((declared) => ({ manifest: wanted, declared })),
    );
  }

  #known(name: string): E.Either<Fault, Manifest> {
    const module = this.context.modules.find(name);
    return module === undefined
      ? E.left(fault('MODULE_UNKNOWN', `there is no module ${name}; \`tallystick module list\` lists them`))
      : E.right(module.manifest);
  }
}
