import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { buildTools } from '../tools/build-tools.js';

/** The path of the stock `nats` command line as a peer; undefined, with a report, if there is none. */
export const findNatsCli = async (say: (line: string) => void): Promise<string | undefined> => {
  if (process.env.NATS_CLI) return process.env.NATS_CLI;
  try {
    return (await buildTools(say)).nats;
  } catch (error) {
    say(`without the peers of \`nats bench\`: ${(error as Error).message}`);
    return undefined;
  }
};

/** `1,234,567 msgs/sec` of the line with the totals, which is the last. */
export const parseRate = (output: string): number | undefined => {
  const rates = [...output.matchAll(/([\d,]+) msgs\/sec/g)];
  const last = rates.at(-1)?.[1];
  return last === undefined ? undefined : Number(last.replaceAll(',', ''));
};

const LIMIT_MS = 10 * 60_000;

/** Runs `nats bench …` against a server; messages a second, as it prints them. Throws when it fails. */
export const natsBench = async (nats: string, url: string, args: readonly string[]): Promise<number> => {
  const all = ['--server', url, '--no-context', 'bench', ...args, '--no-progress'];
  const { stdout, stderr } = await promisify(execFile)(nats, all, { timeout: LIMIT_MS });
  const rate = parseRate(`${stdout}\n${stderr}`);
  if (rate === undefined)
    throw new Error(`nats bench ${args.join(' ')} printed no rate:\n${stdout}${stderr}`);
  return rate;
};
