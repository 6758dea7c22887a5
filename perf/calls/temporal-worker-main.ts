/** The worker of the peer Temporal: it runs the workflows of the accounts. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { eventually } from '../peers/loopback-server.js';
import { loadFrom } from '../peers/npm-packages.js';
import type { ResponderQuestions } from './responder-main.js';
import { TASK_QUEUE, type TemporalSetting } from './temporal-caller.js';

interface WebpackConfig {
  readonly resolve?: { readonly modules?: readonly string[] };
}

/** The part of the SDK's worker that is used here. It is no dependency, so its types are not there. */
interface TemporalWorker {
  readonly Runtime: {
    install(options: { readonly logger: unknown; readonly shutdownSignals: readonly string[] }): unknown;
  };
  readonly DefaultLogger: new (level: string) => unknown;
  readonly NativeConnection: { connect(options: { readonly address: string }): Promise<unknown> };
  readonly Worker: {
    create(options: {
      readonly connection: unknown;
      readonly taskQueue: string;
      readonly workflowsPath: string;
      readonly bundlerOptions: { readonly webpackConfigHook: (config: WebpackConfig) => WebpackConfig };
    }): Promise<{ run(): Promise<void> }>;
  };
}

const { folder, address } = settingOf<TemporalSetting>();
const { Runtime, DefaultLogger, NativeConnection, Worker } = loadFrom<TemporalWorker>(
  folder,
  '@temporalio/worker',
);
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const worker = await Worker.create({
  connection: await eventually(() => NativeConnection.connect({ address })),
  taskQueue: TASK_QUEUE,
  workflowsPath: fileURLToPath(new URL('./temporal-workflow.js', import.meta.url)),
  bundlerOptions: {
    // The workflow is in this package, and the SDK is not.
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, modules: [join(folder, 'node_modules')] },
    }),
  },
});
const running = worker.run();

answerQuestions<ResponderQuestions>({ pid: () => process.pid });
await running;
