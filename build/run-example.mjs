/** `npm run example -- NAME`: runs an example against a broker with its modules, whose data are gone at the end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '..');
const EXAMPLES = join(ROOT, 'examples');

/** The rows of examples/README.md: `| [name](name) | what it shows |`. A test compares them with the folders. */
const examples = [
  ...readFileSync(join(EXAMPLES, 'README.md'), 'utf8').matchAll(/^\| \[([\w-]+)\].*?\| (.+) \|$/gm),
];
const list = examples.map(([, each, shows]) => `  ${each.padEnd(14)}${shows.replaceAll('`', '')}`).join('\n');

const HELP = `Usage: npm run example -- NAME

Starts a broker with the modules of an example, runs its program, and ends the broker. The data are removed.

Examples:
${list}
`;

const [name = ''] = process.argv.slice(2);
if (name === '--help' || name === '-h') {
  process.stdout.write(HELP);
  process.exit(0);
}
if (!examples.some(([, each]) => each === name)) {
  process.stderr.write(
    `${name === '' ? 'the name of an example is missing' : `there is no example ${name}`}\n\n${HELP}`,
  );
  process.exit(2);
}
const cwd = join(EXAMPLES, name);

const data = mkdtempSync(join(tmpdir(), `example-${name}-`));
const cli = join(ROOT, 'dist', 'bin', 'tallystick.js');
const broker = spawn(
  process.execPath,
  [cli, 'dev', '--data', data, '--nats-port', '0', '--no-types', '--json'],
  {
    cwd,
    // A separate group: at a Ctrl-C the program ends first.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const ended = once(broker, 'exit');
let program;
const stop = () => {
  if (program === undefined) broker.kill('SIGTERM');
  else program.kill('SIGTERM');
};
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);

for await (const line of createInterface({ input: broker.stdout })) {
  const event = JSON.parse(line);
  if (event.event === 'broken') process.stderr.write(`${event.source}: ${event.error.message}\n`);
  if (event.event !== 'ready') continue;
  const { operatorSeed } = JSON.parse(readFileSync(join(data, 'broker.json'), 'utf8'));
  // What the program puts into a temporary directory goes with the data.
  const found = { NATS_URL: event.nats, NATS_NKEY: resolve(data, operatorSeed), TMPDIR: data };
  const env = { ...process.env, ...found };
  program = spawn(process.execPath, ['--import', 'tsx', 'main.ts'], { cwd, env, stdio: 'inherit' });
  program.once('exit', (code) => {
    process.exitCode = code ?? 1;
    broker.kill('SIGTERM');
  });
}
const [code] = await ended;
if (program === undefined) process.exitCode = code ?? 1;
rmSync(data, { recursive: true, force: true });
