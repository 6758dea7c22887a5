import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

/**
 * `curl` for those who follow the documents: `curl-program.js ADDRESS ARGUMENTS…` sends what is for the usual address
 * to the one that the broker of the test has. A machine without curl gets what these options mean from Node.
 */
const USUAL = 'http://127.0.0.1:4280';

const [address = '', ...given] = process.argv.slice(2);
const args = given.map((text) => text.replace(USUAL, address));

const byNode = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      silent: { type: 'boolean', short: 's' },
      include: { type: 'boolean', short: 'i' },
      json: { type: 'string' },
      header: { type: 'string', short: 'H', multiple: true },
    },
  });
  const headers = new Headers(values.json === undefined ? {} : { 'Content-Type': 'application/json' });
  for (const line of values.header ?? []) {
    const at = line.indexOf(':');
    headers.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  const body = values.json === undefined ? {} : { method: 'POST', body: values.json };
  const response = await fetch(positionals[0] ?? '', { headers, ...body });
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}\n`).join('');
  const head =
    values.include === true ? `HTTP/1.1 ${response.status} ${response.statusText}\n${lines}\n` : '';
  process.stdout.write(head + (await response.text()));
};

const { error, status } = spawnSync('curl', args, { stdio: ['ignore', 'inherit', 'inherit'] });
if (error === undefined) process.exitCode = status ?? 1;
else await byNode();
