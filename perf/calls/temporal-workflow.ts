import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineUpdate,
  setHandler,
  workflowInfo,
  // biome-ignore lint/correctness/noUndeclaredDependencies: no dependency; the worker's bundle has it from the cache.
} from '@temporalio/workflow';

interface Deposited {
  readonly status: 'ok';
  readonly data: { readonly balance: number };
}

const deposit = defineUpdate<Deposited, [{ readonly amount: number }]>('deposit');

/** The workflow of the peer Temporal: one account, which takes deposits as updates. */
export async function account(opening: number): Promise<void> {
  let balance = opening;
  setHandler(deposit, ({ amount }) => {
    balance += amount;
    return { status: 'ok', data: { balance } };
  });
  // An account lives longer than one history may grow.
  await condition(() => workflowInfo().continueAsNewSuggested && allHandlersFinished());
  await continueAsNew(balance);
}
