/** A record of a trace, as `GET /v1/records/SEQ/trace` has it. Milliseconds are null while a command is open. */
export interface TracedRecord {
  readonly seq: number;
  readonly time: string;
  readonly kind: string;
  readonly subject: string;
  readonly module: string | null;
  readonly name: string | null;
  readonly agent: string | null;
  readonly sender: string | null;
  readonly cause: number | null;
  readonly role: string;
  readonly atMs: number;
  readonly outcome?: string;
  readonly error?: { readonly code: string; readonly message: string } | null;
  readonly result?: number | null;
  readonly tookMs?: number | null;
  readonly waitedMs?: number;
  readonly callsMs?: number;
  readonly ownMs?: number | null;
  readonly problem: string | null;
  readonly resultData?: unknown;
  readonly form: string;
  readonly data: unknown;
  readonly children: readonly (TracedRecord | MoreRecords)[];
}

interface MoreRecords {
  readonly more: number;
}

export interface TraceAnswer {
  readonly conversation: number;
  readonly records: number;
  readonly commands: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly began: string | null;
  readonly spanMs: number;
  readonly findings: readonly {
    readonly seq: number;
    readonly text?: string;
    readonly kind?: string;
  }[];
  readonly tree: readonly (TracedRecord | MoreRecords)[];
}

/** A record and how deep it is in the tree. */
export interface PlacedRecord {
  readonly record: TracedRecord;
  readonly depth: number;
}

/** The records of a tree in the order of the log. */
export const placedRecords = (tree: TraceAnswer['tree'], depth = 0): readonly PlacedRecord[] =>
  tree.flatMap((node) =>
    'more' in node ? [] : [{ record: node, depth }, ...placedRecords(node.children, depth + 1)],
  );
