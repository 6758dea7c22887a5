import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { kindOf, type PackageJson, readPackageJson } from '../../modules/bundle/package-json.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** What `tallystick.modules` of package.json names, and the name of that place for errors. */
export interface NamedModules {
  readonly paths: readonly string[];
  readonly place: string;
}

const EXAMPLE = '["./src/modules"]';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  kindOf(value) === 'an object';

const isPath = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** What is wrong with the setting; undefined if nothing is. */
const problemOf = (modules: unknown): string | undefined => {
  if (isPath(modules)) return undefined;
  if (!Array.isArray(modules)) return `tallystick.modules is ${modules === '' ? 'empty' : kindOf(modules)}`;
  if (modules.length === 0) return 'tallystick.modules is empty';
  const at = modules.findIndex((each) => !isPath(each));
  if (at === -1) return undefined;
  const wrong: unknown = modules[at];
  return `tallystick.modules[${at}] is ${typeof wrong === 'string' ? 'empty' : kindOf(wrong)}`;
};

const settingsOf = ({ fields, file }: PackageJson): Either<Fault, NamedModules | undefined> => {
  const wrong = (problem: string, advice: string): Either<Fault, never> =>
    left(fault('USAGE', `${file}: ${problem}: ${advice}`));
  const { tallystick } = fields;
  if (tallystick === undefined) return right(undefined);
  if (!isObject(tallystick))
    return wrong(`tallystick is ${kindOf(tallystick)}`, `write { "modules": ${EXAMPLE} }`);
  const unknown = Object.keys(tallystick).find((name) => name !== 'modules');
  if (unknown !== undefined)
    return wrong(`tallystick.${unknown} is no setting`, 'the one setting is tallystick.modules');
  const { modules } = tallystick;
  if (modules === undefined) return right(undefined);
  const problem = problemOf(modules);
  return problem === undefined
    ? right({
        paths: (Array.isArray(modules) ? modules : [modules]) as readonly string[],
        place: `${file}: tallystick.modules`,
      })
    : wrong(problem, `write a path, or a list of paths such as ${EXAMPLE}`);
};

/** Reads `tallystick.modules` of package.json: a path or a list of paths. Undefined if it has none. USAGE. */
export const namedModules = (cwd: string): Either<Fault, NamedModules | undefined> => {
  const manifest = readPackageJson(cwd, cwd);
  if (isLeft(manifest)) return manifest;
  return manifest.right === undefined ? right(undefined) : settingsOf(manifest.right);
};
