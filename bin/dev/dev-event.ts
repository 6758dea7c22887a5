import type { ErrorLine } from '../output/output.js';

/** A type error that the compiler found. */
export interface TypeProblem {
  /** As seen from the working directory. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Such as `TS2322`. */
  readonly code: string;
  readonly message: string;
}

/** A command with its result. */
export interface SeenCall {
  readonly event: 'call';
  /** Sequence of the command. */
  readonly seq: number;
  /** Time when the server stored the command, RFC 3339. */
  readonly time: string;
  readonly module: string;
  readonly action: string;
  readonly agent: string | null;
  readonly sender: string | null;
  readonly input: unknown;
  readonly status: 'ok' | 'rejected' | 'failed' | 'expired';
  /** Of a command that succeeded. */
  readonly output?: unknown;
  readonly error?: ErrorLine;
  /** From the stored command to the stored result, milliseconds. */
  readonly ms: number;
}

/** A module answers with the code of the last save: `ms` after that save. */
interface NewCode<E extends string> {
  readonly event: E;
  readonly module: string;
  readonly source: string;
  readonly ms: number;
}

interface OfSource<E extends string> {
  readonly event: E;
  readonly source: string;
  /** The name by its last good code; null if there is none. */
  readonly module: string | null;
}

/** Everything that `tallystick dev` tells: one line of text, or one JSON object a line. */
export type DevEvent =
  | {
      readonly event: 'ready';
      readonly pid: number;
      readonly nats: string;
      readonly dataDir: string;
      readonly durability: string;
      readonly modules: readonly {
        readonly name: string;
        readonly version: string;
        readonly state: string;
      }[];
      /** The watched sources, as seen from the working directory. */
      readonly sources: readonly string[];
    }
  | NewCode<'loaded'>
  | NewCode<'reloaded'>
  /** `continues`: the module runs code that was good before. */
  | (OfSource<'broken'> & { readonly continues: boolean; readonly error: ErrorLine })
  /** A broken source gives the code that runs. */
  | OfSource<'unchanged'>
  /** The file is not there. */
  | (OfSource<'gone'> & { readonly continues: boolean })
  | { readonly event: 'note'; readonly text: string }
  | { readonly event: 'types'; readonly problems: readonly TypeProblem[] }
  /** A line that a module printed. */
  | { readonly event: 'output'; readonly module: string; readonly text: string }
  /** A line of the broker's output. */
  | { readonly event: 'broker'; readonly part: string; readonly text: string }
  | SeenCall;
