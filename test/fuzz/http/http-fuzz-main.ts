/** As many malformed requests over HTTP as one likes: `npm run test:fuzz -- http --requests N [--seed S --from I --held C]`. */
import { parseArgs } from 'node:util';
import { buildTools } from '../../../perf/tools/build-tools.js';
import { testEnvironment } from '../../runner/environment.js';
import { tempDir } from '../../support/temp-dir.js';
import { runHttpFuzz } from './run-http-fuzz.js';

const HELP = `Usage: npm run test:fuzz -- http [options]

Sends malformed requests over raw connections to a real broker: lines that are none, floods of headers, wrong lengths and
chunks, smuggled and pipelined requests, wrong UTF-8, deep JSON, odd paths and queries. Others hold connections half
open, or send a byte each second. Good clients must be served meanwhile, each error must be Problem Details with a code
of the table of errors, the processes must be the same ones, and memory must not have grown.

Options:
  --requests N  how many (default 1000000)
  --seed S      repeats what a finding printed; without it, a new one
  --from I      index of the first request (default 0)
  --held C      connections that do not end their request (default 300)
  --help        this

Exit codes: 0 nothing was found; 1 something was, with seed and index; 2 wrong usage.
`;

const wholeNumber = (flag: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new TypeError(`--${flag} needs a whole number, not ${text}`);
  return value;
};

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const asked = (() => {
  try {
    const { values } = parseArgs({
      args: process.argv.slice(3),
      options: {
        requests: { type: 'string', default: '1000000' },
        seed: { type: 'string' },
        from: { type: 'string', default: '0' },
        held: { type: 'string', default: '300' },
        help: { type: 'boolean', default: false },
      },
    });
    const { requests, seed = `${Math.floor(Math.random() * 2 ** 31)}`, from, held, help } = values;
    return {
      requests: wholeNumber('requests', requests),
      seed: wholeNumber('seed', seed),
      from: wholeNumber('from', from),
      held: wholeNumber('held', held),
      help,
    };
  } catch (error) {
    process.stderr.write(`test:fuzz: ${(error as Error).message}\n\n${HELP}`);
    return process.exit(2);
  }
})();
if (asked.help) {
  say(HELP);
  process.exit(0);
}
await using scratch = tempDir();
// Nothing of the person who runs it: a server that someone's `NATS_URL` names must never be met.
process.env = testEnvironment(await buildTools(say), scratch.path);
say(`seed ${asked.seed}`);
const { findings, lines } = await runHttpFuzz(asked, say);
for (const line of lines) say(line);
say(`seed ${asked.seed}: ${findings.length} findings`);
if (findings.length > 0) process.exitCode = 1;
