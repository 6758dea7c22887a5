import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Fault } from '../../schemas/errors.js';
import { checkCalls, checkGranted } from './cage-grants.js';
import { brokenBy, startOrder } from './dependencies.js';
import type { ModuleSource } from './manifest-file.js';
import type { ModuleIntents } from './module-intents.js';
import type { ModuleSurroundings } from './module-surroundings.js';
import type { SupervisedModules } from './supervised-modules.js';

/** What a module must pass before it takes the place of the one that is known by its name. */
export class ModuleChecks {
  constructor(
    private readonly modules: SupervisedModules,
    private readonly around: ModuleSurroundings,
    private readonly intents: ModuleIntents,
  ) {}

  /** `grant`: the operator grants what its manifest asks for. */
  allowedAndFits(source: ModuleSource, grant: boolean): E.Either<Fault, void> {
    const granted = this.intents.of(source.manifest.name);
    return pipe(
      grant ? E.right(undefined) : checkGranted(source, granted),
      E.chain(() => this.#fits(source)),
      E.chain(() => (grant ? E.right(undefined) : checkCalls(source, granted))),
    );
  }

  /** What a running module would lose: it continues as it is until its new keys are set. */
  configured({ manifest }: ModuleSource): E.Either<Fault, void> {
    return this.around.configs?.checkStart(manifest) ?? E.right(undefined);
  }

  /** Marks a module that cannot be started at all. */
  refuse(name: string, problem: Fault): void {
    this.modules.find(name)?.refuse(problem);
    this.around.log(name, `cannot start: ${problem.message}`, 'error');
  }

  /** Whether the module can start, and whether the running ones could continue with it. */
  #fits({ manifest }: ModuleSource): E.Either<Fault, void> {
    const before = this.modules.manifests;
    const after = new Map([...before, [manifest.name, manifest]]);
    const problem = startOrder(after).refused.get(manifest.name);
    if (problem !== undefined) {
      if (this.modules.find(manifest.name)?.isActive === false) this.refuse(manifest.name, problem);
      return E.left(problem);
    }
    const running = [...this.modules.all()].filter(({ isActive }) => isActive).map(({ name }) => name);
    const broken = brokenBy(before, after, running);
    return broken === undefined ? E.right(undefined) : E.left(broken);
  }
}
