import { loadFrom } from '../peers/npm-packages.js';
import { depositAt } from './deposit-calls.js';

export interface TemporalSetting {
  /** Where npm installed the SDK. */
  readonly folder: string;
  /** Host and port of the server. */
  readonly address: string;
}

/** The part of the SDK's client that is used here. It is no dependency, so its types are not there. */
interface TemporalClient {
  readonly Connection: { connect(options: { readonly address: string }): Promise<unknown> };
  readonly Client: new (options: {
    readonly connection: unknown;
  }) => {
    readonly workflow: {
      executeUpdateWithStart(
        update: string,
        options: { readonly args: readonly unknown[]; readonly startWorkflowOperation: unknown },
      ): Promise<unknown>;
    };
  };
  readonly WithStartWorkflowOperation: new (
    workflow: string,
    options: {
      readonly workflowId: string;
      readonly taskQueue: string;
      readonly args: readonly unknown[];
      readonly workflowIdConflictPolicy: 'USE_EXISTING';
    },
  ) => unknown;
}

export const TASK_QUEUE = 'accounts';

/**
 * So many accounts are called in turn, fewer than of the other callees: the first call of an account starts a workflow,
 * which takes several times as long as an update. The calls before the first round start all of these.
 */
const ACCOUNTS = 256;

/** Updates the workflow of the account, and starts it if it does not run. */
export const byTemporal = async ({
  folder,
  address,
}: TemporalSetting): Promise<(i: number) => Promise<unknown>> => {
  const sdk = loadFrom<TemporalClient>(folder, '@temporalio/client');
  const client = new sdk.Client({ connection: await sdk.Connection.connect({ address }) });
  return (i) => {
    const start = new sdk.WithStartWorkflowOperation('account', {
      workflowId: `account-${i % ACCOUNTS}`,
      taskQueue: TASK_QUEUE,
      args: [0],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    return client.workflow.executeUpdateWithStart('deposit', {
      args: [depositAt(i)],
      startWorkflowOperation: start,
    });
  };
};
