import { type ModuleStatus, OPS } from '../../schemas/operate.js';
import { type TestBroker, tallystick } from './broker.js';
import { connectOperator } from './log-checks.js';
import { waitFor } from './wait-for.js';

export interface Answer<T> {
  readonly code: number | null;
  /** What it printed as JSON; undefined where it printed nothing. */
  readonly json: T | undefined;
  readonly stderr: string;
}

/** `tallystick module …` of a running broker. */
export const moduleCommand = async <T = ModuleStatus>(
  { dataDir }: Pick<TestBroker, 'dataDir'>,
  ...args: readonly string[]
): Promise<Answer<T>> => {
  const { code, stdout, stderr } = await tallystick(['module', ...args, '--json'], {
    dataDir,
    timeoutMs: 60_000,
  });
  return { code, json: stdout === '' ? undefined : (JSON.parse(stdout) as T), stderr };
};

/** What `tallystick module list` asks for, over a connection: whoever waits for a status asks again and again. */
export const moduleStatuses = async ({
  dataDir,
}: Pick<TestBroker, 'dataDir'>): Promise<ReadonlyMap<string, ModuleStatus>> => {
  const nc = await connectOperator(dataDir);
  try {
    const { modules } = (await nc.request(OPS.moduleList, '{}', { timeout: 5_000 })).json<{
      modules: ModuleStatus[];
    }>();
    return new Map(modules.map((status) => [status.name, status]));
  } finally {
    await nc.close();
  }
};

/** Waits until the status of a module fits, and gives it. */
export const moduleStatus = (
  broker: TestBroker,
  name: string,
  fits: (status: ModuleStatus) => boolean,
): Promise<ModuleStatus> =>
  waitFor(
    `the status of module ${name}`,
    async () => {
      const status = (await moduleStatuses(broker)).get(name);
      if (status === undefined || !fits(status)) throw new Error(JSON.stringify(status));
      return status;
    },
    30_000,
  );
