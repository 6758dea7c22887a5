import Type from 'typebox';
import { pointer } from './schema-problem.js';

const MAX_FIELDS = 20;
const FIELD_PATTERN = '^[^.*]{1,64}(\\.[^.*]{1,64}){0,7}$';

/** The schema of `index` in a manifest. */
export const StateIndexSchema = Type.Unsafe<readonly string[]>(
  Type.Array(Type.String({ pattern: FIELD_PATTERN }), {
    minItems: 1,
    maxItems: MAX_FIELDS,
    uniqueItems: true,
    description:
      'Fields of the states of its agents by which agents can be looked up: `status`, `address.city`. ' +
      '`tallystick agent list MODULE --where status=open`. For JavaScript modules only.',
  }),
);

interface Indexing {
  readonly index?: readonly string[];
  readonly encrypt?: boolean;
  readonly sensitive?: readonly string[];
  readonly start: object;
}

/** Whether a path of `sensitive`, where `*` is any part, hides a field or what is within it. */
const hides = (path: string, field: string): boolean => {
  const [hidden, parts] = [path.split('.'), field.split('.')];
  const common = Math.min(hidden.length, parts.length);
  return hidden.slice(0, common).every((part, i) => part === '*' || part === parts[i]);
};

/** Why a module cannot have its index: a path in its manifest, and the reason. */
export const indexProblem = ({
  index,
  encrypt,
  sensitive = [],
  start,
}: Indexing): { readonly path: string; readonly message: string } | undefined => {
  if (index === undefined) return undefined;
  if ('command' in start)
    return { path: '/index', message: 'is for JavaScript modules: others keep no states here' };
  if (encrypt === true)
    return {
      path: '/index',
      message: 'would hold values of states in the clear, and the module encrypts them',
    };
  const at = index.findIndex((field) => sensitive.some((path) => hides(path, field)));
  return at === -1
    ? undefined
    : { path: pointer('/index', `${at}`), message: 'names a field that `sensitive` hides from people' };
};
