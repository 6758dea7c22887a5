import { isRight } from 'fp-ts/lib/Either.js';
import { type Manifest, schemaOf, takesAgent } from './manifest.js';
import { parseSubject } from './subjects.js';

type Rights = Pick<Manifest, 'name' | 'actions' | 'dependencies'>;

/** Commands that a module may send: to an action of an agent, of the module itself, or either. */
interface Target {
  readonly module: string;
  readonly name: string;
  /** Undefined where both forms are allowed: whether it takes an agent is the other module's affair. */
  readonly agent: boolean | undefined;
}

const targetsOf = ({ name: self, actions, dependencies = {} }: Rights): readonly Target[] => [
  ...Object.entries(actions).map(([name, action]) => ({ module: self, name, agent: takesAgent(action) })),
  ...Object.entries(dependencies).flatMap(([module, names]) =>
    names.map((name) => ({ module, name, agent: undefined })),
  ),
];

/**
 * MODULE.ACTION and MODULE.ACTION.* of all that a module may send commands to. The one list: its account on the server
 * is made of it, and what the broker stores in its name is measured by it.
 */
export const commandPatterns = (manifest: Rights): readonly string[] =>
  targetsOf(manifest).flatMap(({ module, name, agent }) => [
    ...(agent === false ? [] : [`${module}.${name}.*`]),
    ...(agent === true ? [] : [`${module}.${name}`]),
  ]);

/**
 * Whether a module may store a copy on this subject, `evt.…` or `cmd.…` without its sender: a subject of the log, an event
 * that its manifest declares, or a command that its account may send. `schema` is the version of the result. This manifest
 * says nothing of the events of another version: there, each event of the module itself is allowed.
 */
export const mayStoreCopy = (
  manifest: Rights & Pick<Manifest, 'events' | 'schema'>,
  subject: string,
  schema: string | undefined,
): boolean => {
  const stored = subject.startsWith('cmd.') ? `${subject}.${manifest.name}` : subject;
  const parsed = parseSubject(stored);
  if (!isRight(parsed)) return false;
  if (parsed.right.kind === 'evt') {
    const isThisVersion = schema === undefined || schema === String(schemaOf(manifest));
    const { module, name } = parsed.right;
    return module === manifest.name && (!isThisVersion || Object.hasOwn(manifest.events, name));
  }
  if (parsed.right.kind !== 'cmd') return false;
  const { module, name, agent } = parsed.right;
  return commandPatterns(manifest).includes(`${module}.${name}${agent === undefined ? '' : '.*'}`);
};
