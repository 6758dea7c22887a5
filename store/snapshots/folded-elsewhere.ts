import { type Manifest, schemaOf } from '../../schemas/manifest.js';
import type { SnapshotPosition } from './snapshot-files.js';

/** Code that folds a log, as far as snapshots name it. */
export interface FoldingCode {
  readonly manifest: Pick<Manifest, 'version' | 'schema' | 'index'>;
  /** Its digest. If it is unknown, version and schema must do. */
  readonly code?: string;
}

/** A log, as far as it decides whether what was folded is of it. */
export interface FoldedLog {
  readonly logId: string;
  readonly lastSeq: number;
}

/** What of a module a position says, so that the next start knows whether its code is the same. */
export const namesCode = ({
  manifest,
  code,
}: FoldingCode): Pick<SnapshotPosition, 'version' | 'schema' | 'code' | 'index'> => ({
  version: manifest.version,
  schema: schemaOf(manifest),
  ...(code === undefined ? {} : { code }),
  ...(manifest.index === undefined ? {} : { index: manifest.index }),
});

const isOfVersion = ({ version, schema }: SnapshotPosition, { manifest }: FoldingCode): boolean =>
  version === manifest.version && schema === schemaOf(manifest);

/** Whether the code that folded snapshots is this one: what another one made of the log may be other states. */
export const isFoldedBy = (position: SnapshotPosition, folding: FoldingCode): boolean =>
  isOfVersion(position, folding) && (folding.code === undefined || position.code === folding.code);

/** Why snapshots are not what this code makes of this log; undefined where they are. */
export const whyForeign = (
  position: SnapshotPosition,
  { logId, lastSeq }: FoldedLog,
  folding: FoldingCode,
): string | undefined => {
  const { version, schema, seq } = position;
  if (!isOfVersion(position, folding)) {
    const code = `${folding.manifest.version}, schema ${schemaOf(folding.manifest)}`;
    return `the snapshots are of version ${version}, schema ${schema}, the code of ${code}`;
  }
  if (!isFoldedBy(position, folding)) {
    return 'the snapshots were folded by other code, of the same version; `tallystick module reload` folds them again';
  }
  if (position.logId !== logId) return 'the snapshots are of another log';
  return seq > lastSeq ? `the snapshots stand at ${seq}, the log ends at ${lastSeq}` : undefined;
};
