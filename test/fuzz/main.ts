/** As many odd inputs as one likes: `npm run test:fuzz -- --inputs N [--seed S --only FAMILY --from I]`. */
import { parseArgs } from 'node:util';
import { buildTools } from '../../perf/tools/build-tools.js';
import { testEnvironment } from '../runner/environment.js';
import { tempDir } from '../support/temp-dir.js';
import { FAMILY_NAMES, type FamilyName } from './families/families.js';
import { type FuzzOptions, isFamilyName } from './options.js';
import { runFuzz } from './run-fuzz.js';

// Requests over HTTP have a run and options for themselves.
if (process.argv[2] === 'http') {
  await import('./http/http-fuzz-main.js');
  process.exit();
}

const HELP = `Usage: npm run test:fuzz -- [options]
       npm run test:fuzz -- http [options]

Sends generated inputs to a real broker: odd requests on every subject that people, the operator and modules reach,
headers that are none, raw protocol bytes, manifests. After each thousand an ordinary call must be answered within a
second, the processes must be the same ones, memory must not have grown, and the broker must have said nothing of a
fault of its own. At the end the log is verified, the money is counted, and the broker is stopped and started again.

Options:
  --inputs N       how many (default 1000000)
  --seed S         repeats what a finding printed; without it, a new one
  --only FAMILIES  of ${FAMILY_NAMES.join(', ')}; with commas
  --from I         index of the first input (default 0)
  --help           this

Exit codes: 0 nothing was found; 1 something was, with seed and index; 2 wrong usage.

Examples:
  npm run test:fuzz
  npm run test:fuzz -- --inputs 20000 --only headers,bytes
  npm run test:fuzz -- --seed 7 --only guest --from 4711 --inputs 1
`;

const wholeNumber = (flag: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new TypeError(`--${flag} needs a whole number, not ${text}`);
  return value;
};

const families = (text: string | undefined): readonly FamilyName[] => {
  const names = text === undefined ? FAMILY_NAMES : text.split(',');
  const wrong = names.find((name) => !isFamilyName(name));
  if (wrong !== undefined) throw new TypeError(`--only takes ${FAMILY_NAMES.join(', ')}, not ${wrong}`);
  return names as readonly FamilyName[];
};

const readArgs = (): FuzzOptions & { readonly help: boolean } => {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '1000000' },
      seed: { type: 'string' },
      only: { type: 'string' },
      from: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    inputs: wholeNumber('inputs', values.inputs),
    seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : wholeNumber('seed', values.seed),
    only: families(values.only),
    from: wholeNumber('from', values.from),
    help: values.help,
  };
};

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const options = (() => {
  try {
    return readArgs();
  } catch (error) {
    process.stderr.write(`test:fuzz: ${(error as Error).message}\n\n${HELP}`);
    return process.exit(2);
  }
})();
if (options.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
await using scratch = tempDir();
// Nothing of the person who runs it: a server that someone's `NATS_URL` names must never be met.
process.env = testEnvironment(await buildTools(say), scratch.path);
say(`seed ${options.seed}`);
const { inputs, seconds, findings, lines } = await runFuzz(options, say);
for (const line of lines) say(line);
say(`${inputs} inputs in ${seconds.toFixed(0)} s, seed ${options.seed}: ${findings.length} findings`);
if (findings.length > 0) process.exitCode = 1;
