import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SERVER_VERSION } from '../../broker/server/version.js';
import { commandPages } from '../cli/command-pages.js';
import { NOT_HERE } from '../runner/not-here.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tempDir } from '../support/temp-dir.js';

const read = (name: string): string => readFileSync(join(PROJECT_ROOT, 'deploy', name), 'utf8');
const unit = read('tallystick.service');
const dockerfile = read('Dockerfile');

/** The words of each line of Docker that is a list, and of the command of the unit. */
const commandLines = (): readonly (readonly string[])[] => [
  (/^ExecStart=\S+ (.*)$/m.exec(unit)?.[1] ?? '').split(' '),
  JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[],
  (JSON.parse(/^HEALTHCHECK .* CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[]).slice(1),
];

test('the unit and the image use commands and options that the program has', async () => {
  const pages = await commandPages();
  for (const [name, ...words] of commandLines()) {
    const page = pages.find((one) => one.name === name);
    assert.ok(page !== undefined, `${name}`);
    const known = page.command.options.map(({ long }) => long);
    for (const word of words.filter((one) => one.startsWith('--'))) assert.ok(known.includes(word), word);
  }
});

test('the image has the server version that the broker downloads elsewhere, and a user that is not root', () => {
  assert.match(dockerfile, new RegExp(`^FROM nats:${SERVER_VERSION.replaceAll('.', '\\.')} AS server$`, 'm'));
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  assert.match(last, /^USER node$/m);
  assert.ok(last.indexOf('USER node') < last.indexOf('ENTRYPOINT'));
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test('systemd accepts the unit', { skip: !hasSystemd && `${NOT_HERE} systemd-analyze` }, async () => {
  await using dir = tempDir();
  const path = join(dir.path, 'tallystick.service');
  // The program need not be installed here: any program stands in its place.
  writeFileSync(path, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
});
