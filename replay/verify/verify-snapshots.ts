import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import type { ErrorCode } from '../../schemas/error-table.js';
import { checkSnapshots } from '../rebuild/check.js';
import type { Findings } from './findings.js';

/** Modules whose snapshots are to be compared, and where those are. */
export interface SnapshotsToVerify {
  /** The data directory of the broker. */
  readonly dataDir: string;
  readonly modules: readonly AnyModule[];
  /** Why the snapshots of others are not compared, in words. */
  readonly left?: readonly string[];
  /** How long snapshots may take to reach where the log ended, milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

export interface SnapshotsVerified {
  readonly states: readonly { readonly module: string; readonly agents: number }[];
  readonly notes: readonly string[];
}

/** Longest part of a state that is shown. */
const SHOWN = 120;

/** That snapshots cannot be compared for these reasons is itself what is wrong. */
const WRONG: ReadonlySet<ErrorCode> = new Set(['FOLD_FAILED', 'SNAPSHOT_DAMAGED', 'SCHEMA_TOO_NEW']);

const shown = (found: { readonly seq: number; readonly json: string } | null): string => {
  if (found === null) return 'nothing';
  const { seq, json } = found;
  return `at ${seq} ${json.length > SHOWN ? `${json.slice(0, SHOWN)}…` : json}`;
};

/** Folds the states of modules from the log and compares them with their snapshots, module by module. */
export const verifySnapshots = async (
  nc: NatsConnection,
  apiPrefix: string,
  { dataDir, modules, left = [], timeoutMs }: SnapshotsToVerify,
  findings: Findings,
): Promise<SnapshotsVerified> => {
  const states: { module: string; agents: number }[] = [];
  const notes = [...left];
  for (const module of modules) {
    const { name } = module.manifest;
    const options = { nc, apiPrefix, dataDir, modules: [module] };
    const checked = await checkSnapshots(timeoutMs === undefined ? options : { ...options, timeoutMs })();
    if (isLeft(checked)) {
      const { code, message } = checked.left;
      if (WRONG.has(code)) findings.add('stateMismatch', 0, name, `the states of ${name}: ${message}`);
      else notes.push(`the states of ${name} were not compared: ${message}`);
      continue;
    }
    const { difference } = checked.right;
    if (difference === undefined) {
      states.push({ module: name, agents: checked.right.modules[0]?.agents ?? 0 });
      continue;
    }
    const { agent, log, snapshot } = difference;
    const who = agent === '' ? `${name} itself` : `agent ${agent} of ${name}`;
    const detail = `${who}: the log gives ${shown(log)}; the snapshot has ${shown(snapshot)}`;
    findings.add('stateMismatch', snapshot?.seq ?? log?.seq ?? 0, name, detail);
  }
  return { states, notes };
};
