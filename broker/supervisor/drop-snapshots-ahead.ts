import type { StartRequest } from '../../schemas/control.js';

/** A log as it was before the broker wrote into it. */
interface FoundAt {
  readonly logId: string;
  readonly lastSeq: number;
}

/**
 * What of the snapshots that a module brings may be used. Its first process under this broker has what was folded
 * before: snapshots above the end that the log had then are of records that are gone, although others may stand at
 * their sequences by now (I9). Those that later processes bring are compared with the module's fence, as ever.
 */
export const dropSnapshotsAhead = (
  { logId, lastSeq }: FoundAt,
  onAhead: (text: string) => void,
): ((module: string, request: StartRequest) => StartRequest) => {
  const asked = new Set<string>();
  return (module, request) => {
    const isFirst = !asked.has(module);
    asked.add(module);
    if (!isFirst || request.logId !== logId || request.snapshotSeq <= lastSeq) return request;
    onAhead(
      `LOG_SHORTENED: the snapshots of ${module} stand at ${request.snapshotSeq} and the log ended at ${lastSeq}; ` +
        'its states are folded from the log again',
    );
    return { ...request, snapshotSeq: 0, logId: null };
  };
};
