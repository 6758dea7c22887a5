import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { schemaOf } from '../../schemas/manifest.js';
import { pointer } from '../../schemas/schema-problem.js';
import type { Checks } from './checks.js';
import type { AnyModule } from './module-shape.js';
import type { AnyEvent } from './checked-outcome.js';
import { messageOf } from '../../text/thrown-message.js';
import { thrownAt } from './thrown-text.js';

/** Gives an event that was recorded in an older schema version the shape of today's; FOLD_FAILED. */
export type Upcast = (event: AnyEvent, from: number) => Either<Fault, AnyEvent>;

/** Lifts the data of one event from one version to the next. */
interface UpcastStep {
  readonly from: number;
  readonly lift: (data: unknown) => unknown;
}

const VERSION = /^[1-9]\d*$/;

/** The steps of each event, those of older versions first. */
const stepsOf = ({
  manifest,
  upcast = {},
}: AnyModule): Either<Fault, ReadonlyMap<string, readonly UpcastStep[]>> => {
  const schema = schemaOf(manifest);
  const steps = new Map<string, UpcastStep[]>();
  const invalid = (path: string, message: string): Either<Fault, never> =>
    left(fault('UPCAST_INVALID', `${manifest.name}: upcast${path} ${message}`, path));
  if (typeof upcast !== 'object' || upcast === null) return invalid('', 'is no object');
  // Keys that are whole numbers come in their order, whatever the order in which they are written.
  for (const [version, lifts] of Object.entries(upcast)) {
    const place = pointer('', version);
    if (!VERSION.test(version) || Number(version) >= schema) {
      return invalid(place, `is for no version below ${schema}, the schema of the manifest`);
    }
    if (typeof lifts !== 'object' || lifts === null) return invalid(place, 'is no object');
    for (const [event, lift] of Object.entries(lifts)) {
      const path = pointer(place, event);
      if (!Object.hasOwn(manifest.events, event)) return invalid(path, 'is no event of the manifest');
      if (typeof lift !== 'function') return invalid(path, 'is no function');
      const before = steps.get(event) ?? [];
      steps.set(event, [...before, { from: Number(version), lift: lift as UpcastStep['lift'] }]);
    }
  }
  return right(steps);
};

/**
 * Makes the upcasters of a module one: an event goes through those of its version and of all later ones; where there
 * is none, its shape did not change. What comes of it must fit the schema of today's manifest, so that an upcaster
 * that was forgotten, or is wrong, is found before a state is made of it. UPCAST_INVALID.
 */
export const compileUpcast = (module: AnyModule, checks: Checks): Either<Fault, Upcast> => {
  const compiled = stepsOf(module);
  if (isLeft(compiled)) return compiled;
  const steps = compiled.right;
  const schema = schemaOf(module.manifest);
  return right((event, version) => {
    if (version === schema) return right(event);
    const { name } = event;
    const failed = (message: string): Either<Fault, never> =>
      left(fault('FOLD_FAILED', `event ${name} of schema version ${version}: ${message}`));
    let { data } = event;
    for (const { from, lift } of steps.get(name) ?? []) {
      if (from < version) continue;
      try {
        data = lift(data);
      } catch (error) {
        return failed(`the upcast from version ${from} threw: ${messageOf(error)}${thrownAt(error)}`);
      }
    }
    const checked = checks.event(name)(data);
    return isLeft(checked)
      ? failed(`as version ${schema} it would not fit: ${checked.left.message}`)
      : right({ name, data });
  });
};
