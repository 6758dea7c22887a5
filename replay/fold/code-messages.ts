/** What goes to the process that folds with a module's code, and what comes back from it. */

export const QUESTIONS_FD = 3;
export const ANSWERS_FD = 4;

/** A value of JSON; without `value`: undefined. */
export interface Sent {
  readonly value?: unknown;
}

export type CodeQuestion =
  | { readonly kind: 'load'; readonly path: string; readonly entry: string }
  | {
      readonly kind: 'evolve';
      readonly event: string;
      /** The state before: a number that an answer had, or the state. */
      readonly before: number | Sent;
      readonly data: Sent;
    }
  | { readonly kind: 'upcast'; readonly from: string; readonly event: string; readonly data: Sent };

/** The shape of a module, as far as folding needs it. */
export interface CodeShape {
  readonly manifest: unknown;
  readonly initial: Sent;
  readonly events: readonly string[];
  /** Names of actions, and whether each is a decider. */
  readonly actions: readonly (readonly [string, boolean])[];
  /** By version and event, whether there is a function; null: something that is no object. */
  readonly upcast?: readonly (readonly [string, readonly (readonly [string, boolean])[] | null])[] | null;
}

export interface CodeThrew {
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: string | undefined;
}

export type CodeAnswer =
  | { readonly kind: 'loaded'; readonly shape: CodeShape }
  /** `number` stands for the value in a later question. */
  | { readonly kind: 'value'; readonly number?: number | undefined; readonly sent: Sent }
  /** A later question named a state that the process has no more. */
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'threw'; readonly threw: CodeThrew };
