import { isLeft } from 'fp-ts/lib/Either.js';
import { FaultError } from '../../schemas/errors.js';
import { parseName } from '../../schemas/names.js';
import type { RecordKind } from '../../schemas/subjects.js';

/** Whose records; every field that is given must fit. */
export interface Selection {
  readonly module?: string | undefined;
  /** Without a module: the agent of that name in any module. */
  readonly agent?: string | undefined;
  /** Who sent a command; the producer of other records. */
  readonly sender?: string | undefined;
  readonly kind?: RecordKind | undefined;
  /** What the module's manifest declares, where it is known: filters without a wildcard in the middle, which are found
   * sooner. Records of an action or event that is not named are left out. */
  readonly names?: ModuleNames | undefined;
}

export interface ModuleNames {
  readonly actions: readonly string[];
  readonly events: readonly string[];
}

/** One agent's records: commands to it from anybody, their results, its events. */
export interface AgentSelection extends Selection {
  readonly module: string;
  readonly agent: string;
}

const ANY = ['*'];

/** The names become parts of filters, where a dot or wildcard would select something else: throws NAME_INVALID. */
export const checkSelection = ({ module, agent, sender, names }: Selection): void => {
  const given: readonly (readonly [what: string, text: string | undefined])[] = [
    ['module', module],
    ['agent', agent],
    ['sender', sender],
    ...(names?.actions ?? []).map((text) => ['action', text] as const),
    ...(names?.events ?? []).map((text) => ['event', text] as const),
  ];
  for (const [what, text] of given) {
    if (text === undefined) continue;
    const name = parseName(what, text);
    if (isLeft(name)) throw new FaultError({ ...name.left, path: `/${what}` });
  }
};

/**
 * The narrowest subjects that hold everything that is selected; undefined: all of the log is needed; none: nothing in
 * it can be meant. The server refuses filters that overlap, so they have literal part counts and no `>`.
 */
export const subjectFilters = (selection: Selection): readonly string[] | undefined => {
  const { module, agent, sender, kind, names } = selection;
  checkSelection(selection);
  if (module === undefined && agent === undefined && sender === undefined && names === undefined) {
    return kind === undefined ? undefined : [`${kind}.>`];
  }
  const m = module ?? '*';
  const filters: string[] = [];
  const wants = (which: RecordKind): boolean => kind === undefined || kind === which;
  const actions = names?.actions ?? ANY;
  if (wants('cmd')) {
    if (agent !== undefined)
      filters.push(...actions.map((action) => `cmd.${m}.${action}.${agent}.${sender ?? '*'}`));
    else if (sender === undefined && names === undefined) filters.push(`cmd.${m}.>`);
    else {
      const from = sender ?? '*';
      filters.push(
        ...actions.flatMap((action) => [`cmd.${m}.${action}.${from}`, `cmd.${m}.${action}.*.${from}`]),
      );
    }
  }
  // The producer of a result stands in its header, not in its subject: the broker answers for modules that cannot.
  for (const which of ['res', 'evt', 'step', 'wake', 'cancel', 'restart'] as const) {
    if (!wants(which)) continue;
    const known = which === 'evt' ? (names?.events ?? ANY) : actions;
    if (agent !== undefined) filters.push(...known.map((name) => `${which}.${m}.${name}.${agent}`));
    else if (names === undefined) filters.push(`${which}.${m}.>`);
    else filters.push(...known.flatMap((name) => [`${which}.${m}.${name}`, `${which}.${m}.${name}.*`]));
  }
  if (wants('signal') && names === undefined)
    filters.push(agent === undefined ? `signal.${m}.>` : `signal.${m}.*.${agent}`);
  if (wants('epoch') && module === undefined && agent === undefined && names === undefined)
    filters.push('epoch.>');
  return filters;
};
