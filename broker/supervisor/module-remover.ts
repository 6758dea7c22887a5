import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import type { ModuleRemoval } from '../../schemas/operate.js';
import type { ModuleIntents } from './module-intents.js';
import type { ModuleSurroundings } from './module-surroundings.js';
import { removalNote } from './removal-note.js';
import type { SupervisedModule } from './supervised-module.js';
import type { SupervisedModules } from './supervised-modules.js';

/** Forgets modules that are stopped, and tells before what is lost with them. */
export class ModuleRemover {
  constructor(
    private readonly modules: SupervisedModules,
    private readonly around: ModuleSurroundings,
    private readonly intents: ModuleIntents,
  ) {}

  /** What a removal would answer and forget. */
  foresee(module: SupervisedModule): ModuleRemoval {
    const { name } = module;
    return { name, removed: false, waiting: this.around.waiting(name), note: this.#noteOn(module) };
  }

  remove(module: SupervisedModule): TaskEither<Fault, ModuleRemoval> {
    return pipe(
      // Nothing that its last process sent may come behind the answers, or a command would have two (I3).
      this.around.settle(module.manifest),
      TE.chain(() => this.#forget(module)),
    );
  }

  #forget(module: SupervisedModule): TaskEither<Fault, ModuleRemoval> {
    return async () => {
      const { name } = module;
      const { waiting, note } = this.foresee(module);
      // First: another module of that name must get no secret of this one.
      const unconfigured = this.around.configs?.forget(name) ?? E.right(undefined);
      if (E.isLeft(unconfigured)) return unconfigured;
      const written = this.intents.forget(name);
      if (E.isLeft(written)) return written;
      this.modules.forget(name);
      this.around.log(name, `removed; ${waiting} commands that wait are answered MODULE_UNKNOWN`);
      await this.around.forgotten(name);
      return E.right({ name, removed: true, waiting, note });
    };
  }

  #noteOn(module: SupervisedModule): string | null {
    const { name } = module;
    const keys = Object.keys(this.around.configs?.of(name).keys ?? {});
    return removalNote(module, this.intents.isShipped(name), this.modules.dependents(name), keys);
  }
}
