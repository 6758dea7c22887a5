import { type Manifest, schemaOf } from '../../schemas/manifest.js';
import type { SnapshotPosition } from './snapshot-files.js';

type Identified = Pick<Manifest, 'version' | 'schema'>;

/** A log, as far as it decides whether what was folded is of it. */
export interface FoldedLog {
  readonly logId: string;
  readonly lastSeq: number;
}

/** Whether the code that folded snapshots is this one: what another one made of the log may have other shapes. */
export const isOfVersion = ({ version, schema }: SnapshotPosition, manifest: Identified): boolean =>
  version === manifest.version && schema === schemaOf(manifest);

/** Why snapshots are not what this code makes of this log; undefined where they are. */
export const whyForeign = (
  position: SnapshotPosition,
  { logId, lastSeq }: FoldedLog,
  manifest: Identified,
): string | undefined => {
  const { version, schema, seq } = position;
  if (!isOfVersion(position, manifest)) {
    const code = `${manifest.version}, schema ${schemaOf(manifest)}`;
    return `the snapshots are of version ${version}, schema ${schema}, the code of ${code}`;
  }
  if (position.logId !== logId) return 'the snapshots are of another log';
  return seq > lastSeq ? `the snapshots stand at ${seq}, the log ends at ${lastSeq}` : undefined;
};
