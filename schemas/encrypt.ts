import { hasMark } from './mask-spots.js';
import type { JsonSchema } from './validate.js';

/** What of a manifest decides whether it can encrypt. */
interface Encrypting {
  readonly encrypt?: boolean;
  readonly start: object;
  readonly actions: Readonly<Record<string, { readonly input: JsonSchema; readonly output: JsonSchema }>>;
  readonly events: Readonly<Record<string, { readonly data: JsonSchema }>>;
}

/** Why a module cannot encrypt; undefined: it can, or does not want to. */
export const encryptProblem = ({ encrypt, start, actions, events }: Encrypting): string | undefined => {
  if (encrypt !== true) return undefined;
  if ('command' in start)
    return 'is for JavaScript modules: a program in another language stores its results itself';
  const all = Object.values(actions);
  if (all.length === 0) return 'is for modules with actions: other programs store the events';
  const schemas = [
    ...all.flatMap(({ input, output }) => [input, output]),
    ...Object.values(events).map(({ data }) => data),
  ];
  return schemas.some(hasMark)
    ? undefined
    : 'has nothing to encrypt: mark values in the schemas with `sensitive: true`';
};

/** Whether the input of an action is encrypted. Then people alone may send it: only the broker can encrypt it. */
export const isSealedAction = (
  manifest: { readonly encrypt?: boolean },
  action: { readonly input: JsonSchema },
): boolean => manifest.encrypt === true && hasMark(action.input);
