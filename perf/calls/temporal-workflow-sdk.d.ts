/** The part of the SDK that the workflow of the peer Temporal uses. It is no dependency, so its types are not there. */
declare module '@temporalio/workflow' {
  interface UpdateDefinition<A, R> {
    readonly argument: A;
    readonly result: R;
  }
  export const defineUpdate: <R, A extends readonly unknown[]>(name: string) => UpdateDefinition<A, R>;
  export const setHandler: <R, A extends readonly unknown[]>(
    definition: UpdateDefinition<A, R>,
    handle: (...args: A) => R,
  ) => void;
  export const condition: (holds: () => boolean) => Promise<void>;
  export const allHandlersFinished: () => boolean;
  export const workflowInfo: () => { readonly continueAsNewSuggested: boolean };
  export const continueAsNew: (...args: readonly unknown[]) => Promise<never>;
}
