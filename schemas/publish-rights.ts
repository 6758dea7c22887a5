import { isRight } from 'fp-ts/lib/Either.js';
import { type Manifest, schemaOf, takesAgent } from './manifest.js';
import { parseSubject } from './subjects.js';

type Rights = Pick<Manifest, 'name' | 'actions' | 'dependencies'>;

/** Commands that a module may send: to an action of an agent, of the module itself, or either. */
interface PublishTarget {
  readonly module: string;
  readonly name: string;
  /** Undefined if both forms are allowed: the other module's manifest decides whether the action takes an agent. */
  readonly agent: boolean | undefined;
}

const targetsOf = ({ name: self, actions, dependencies = {} }: Rights): readonly PublishTarget[] => [
  ...Object.entries(actions).map(([name, action]) => ({ module: self, name, agent: takesAgent(action) })),
  ...Object.entries(dependencies).flatMap(([module, names]) =>
    names.map((name) => ({ module, name, agent: undefined })),
  ),
];

/**
 * MODULE.ACTION and MODULE.ACTION.* of all commands that a module may send. This is the one list: its account on the
 * server is made from it, and the broker checks by it what it stores for the module.
 */
export const commandPatterns = (manifest: Rights): readonly string[] =>
  targetsOf(manifest).flatMap(({ module, name, agent }) => [
    ...(agent === false ? [] : [`${module}.${name}.*`]),
    ...(agent === true ? [] : [`${module}.${name}`]),
  ]);

/**
 * Whether a module may store a copy on this subject, `evt.…` or `cmd.…` without its sender. The subject must be one
 * of the log, and an event of its manifest or a command that its account may send. `schema` is the version of the
 * result. The manifest does not know the events of another version, so there each event of the module is allowed.
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
