import type { RecordKind } from '../schemas/subjects.js';

/** Whose records; every field that is given must fit. */
export interface Selection {
  readonly module?: string | undefined;
  /** Without a module: the agent of that name in any module. */
  readonly agent?: string | undefined;
  /** Who sent a command; the producer of other records. */
  readonly sender?: string | undefined;
  readonly kind?: RecordKind | undefined;
}

/**
 * The narrowest subjects that hold everything that is selected; undefined: all of the log is needed. The server
 * refuses filters that overlap, hence literal token counts and no `>` beside them.
 */
export const historyFilters = ({ module, agent, sender, kind }: Selection): readonly string[] | undefined => {
  if (module === undefined && agent === undefined && sender === undefined) {
    return kind === undefined ? undefined : [`${kind}.>`];
  }
  const m = module ?? '*';
  const filters: string[] = [];
  const wants = (which: RecordKind): boolean => kind === undefined || kind === which;
  if (wants('cmd')) {
    if (agent === undefined && sender === undefined) filters.push(`cmd.${m}.>`);
    else if (agent === undefined) filters.push(`cmd.${m}.*.${sender}`, `cmd.${m}.*.*.${sender}`);
    else filters.push(`cmd.${m}.*.${agent}.${sender ?? '*'}`);
  }
  // The producer of a result stands in its header, not in its subject: the broker answers for modules that cannot.
  for (const which of ['res', 'evt'] as const) {
    if (wants(which)) filters.push(agent === undefined ? `${which}.${m}.>` : `${which}.${m}.*.${agent}`);
  }
  if (wants('epoch') && module === undefined && agent === undefined) filters.push('epoch.>');
  return filters;
};
