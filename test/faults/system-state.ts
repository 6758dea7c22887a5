import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { verifyLog } from '../../replay/index.js';
import type { DeadSummary } from '../../schemas/dead.js';
import type { BrokerStatus } from '../../schemas/operate.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { tallystick } from '../support/broker.js';
import { success } from '../support/either.js';
import { checkLog, connectOperator } from '../support/log-checks.js';
import { runningProcesses } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';
import { brokerStatus } from '../support/broker-status.js';

/** How long all that is open may take to be answered after a fault. */
export const SETTLE_MS = 240_000;

const environOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
};

/** Processes that belong to this data directory: named in their command or, for modules, in their environment. */
export const processesOf = (dataDir: string): readonly string[] =>
  runningProcesses()
    .filter(
      ({ pid, command }) =>
        pid !== process.pid && (command.includes(dataDir) || environOf(pid).includes(dataDir)),
    )
    .map(({ pid, command }) => `${pid} ${command}`);

/** Waits until every command is answered and nothing is added any more. */
export const settled = async (dataDir: string): Promise<BrokerStatus> => {
  let lastSeq = -1;
  return waitFor(
    'every command to be answered',
    async () => {
      const now = await brokerStatus(dataDir);
      const quiet =
        now.conversationsOpen === 0 &&
        now.modules.every(({ lag }) => lag === 0) &&
        now.log.lastSeq === lastSeq;
      lastSeq = now.log.lastSeq;
      if (!quiet) throw new Error(JSON.stringify(now));
      return now;
    },
    SETTLE_MS,
  );
};

const balance = async (nc: NatsConnection, agent: string): Promise<number> => {
  const reply = await nc.request(`call.accounts.balance.${agent}`, '{}', { timeout: 60_000 });
  const result = reply.json<Result>();
  assert.equal(result.status, 'ok', JSON.stringify(result));
  return (result as { data: { balance: number } }).data.balance;
};

/** What these agents have, asked of the module. */
export const balances = (nc: NatsConnection, agents: readonly string[]): Promise<number[]> =>
  Promise.all(agents.map((agent) => balance(nc, agent)));

/** The sum of their balances. */
const money = async (nc: NatsConnection, agents: readonly string[]): Promise<number> =>
  (await balances(nc, agents)).reduce((sum, each) => sum + each, 0);

/** What deposits and withdrawals in the log add up to. */
const moneyInLog = async (dataDir: string): Promise<number> => {
  const nc = await connectOperator(dataDir);
  let sum = 0;
  for await (const { subject, data } of readLog(nc, { filters: ['evt.accounts.>'] })) {
    const { amount } = JSON.parse(new TextDecoder().decode(data)) as { amount: number };
    if (subject.startsWith('evt.accounts.deposited.')) sum += amount;
    else if (subject.startsWith('evt.accounts.withdrawn.')) sum -= amount;
  }
  await nc.close();
  return sum;
};

/**
 * Sends the commands again that a stopped process was in the middle of: the process counts as hung, and the command as the
 * cause. So the money of a transfer is on its way until an operator acts.
 */
const redriveBlamed = async (dataDir: string): Promise<void> => {
  const listed = await tallystick(['dead', 'list', '--module', 'accounts', '--json'], { dataDir });
  assert.equal(listed.code, 0, listed.stderr);
  const blamed = listed.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DeadSummary)
    .filter(
      ({ sender, error, redriven }) =>
        sender === 'accounts' && error.code === 'HANDLER_CRASHED' && redriven.length === 0,
    );
  if (blamed.length === 0) return;
  const commands = blamed.map(({ command }) => `${command}`);
  const { code, stderr } = await tallystick(['dead', 'redrive', '--wait', ...commands], { dataDir });
  assert.equal(code, 0, stderr);
  await settled(dataDir);
};

/** What these agents have together is what was put in, less what was taken out: no transfer made or lost money. */
export const checkMoney = async (
  nc: NatsConnection,
  agents: readonly string[],
  dataDir: string,
): Promise<void> => {
  if ((await money(nc, agents)) !== (await moneyInLog(dataDir))) await redriveBlamed(dataDir);
  assert.equal(await money(nc, agents), await moneyInLog(dataDir));
};

/**
 * What `replay verify` must say of a log that has been checked: written apart from those checks, it finds nothing either.
 * How many records that were.
 */
const verifyIsClean = async (dataDir: string): Promise<number> => {
  const nc = await connectOperator(dataDir);
  try {
    const { verification } = success(await verifyLog({ nc, graceMs: 0 })());
    assert.deepEqual(verification.findings.slice(0, 10), []);
    assert.ok(verification.ok && verification.results === verification.commands);
    return verification.records;
  } finally {
    await nc.close();
  }
};

/** Waits for quiet and checks what the log alone shows of I2 to I5, and that every command is answered; its records. */
export const checkSettledLog = async (
  dataDir: string,
  visit?: (message: StoredMessage) => void,
): Promise<number> => {
  await settled(dataDir);
  const report = await checkLog(dataDir, visit);
  assert.deepEqual(report.findings.slice(0, 10), []);
  assert.deepEqual(report.unanswered.slice(0, 10), []);
  assert.equal(report.results, report.commands);
  return verifyIsClean(dataDir);
};
