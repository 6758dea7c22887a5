import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { brokerStatus } from '../../support/broker-status.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { byForm } from '../../support/form.js';
import { moduleCommand } from '../../support/modules.js';
import { processesMentioning } from '../../support/processes.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const RAW = join(PROJECT_ROOT, 'test', 'fixtures', 'modules', 'raw');
const home = tempDir();
const dataDir = join(home.path, 'data');
const dir = join(home.path, 'raw');
const secret = join(home.path, 'private.txt');
const tcp = createServer((socket) => socket.destroy());
let broker: TestBroker;

/** A shell script that tries acts, and then becomes the program that speaks the protocol. */
const script = (port: number, more: string): string => `#!/bin/sh
try() { name=$1; shift; if "$@" >/dev/null 2>&1; then echo "act $name: done"; else echo "act $name: refused"; fi; }
try 'files: reads the key' cat '${dataDir}/keys/operator.nk'
try 'files: lists the keys' ls '${dataDir}/keys'
try 'files: reads a file elsewhere' cat '${secret}'
try 'files: writes a file elsewhere' sh -c 'echo x >>${secret}'
try 'files: plants a file' sh -c 'echo x >${home.path}/planted'
try 'files: plants a key' sh -c 'echo x >${dataDir}/keys/planted.nk'
try 'files: reads the environment of the broker' cat /proc/$PPID/environ
try 'files: changes its own code' sh -c 'echo x >>${dir}/manifest.json'
try 'ports: connects' perl -MIO::Socket::INET -e 'IO::Socket::INET->new("127.0.0.1:${port}") or exit 1'
try 'ports: listens' perl -MIO::Socket::INET -e 'IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or exit 1'
try 'signals: signals the broker' kill -0 $PPID
try 'calls: leaves its session' perl -MPOSIX -e 'my $pid = fork; exit(POSIX::setsid() > 0 ? 0 : 1) unless $pid; waitpid($pid, 0); exit($? >> 8)'
try 'calls: leaves its group' perl -e 'setpgrp(0, 0) or exit 1'
try 'calls: changes the mode of a file elsewhere' chmod 600 '${secret}'
echo 'acts: all'
${more}
exec '${process.execPath}' ./main.js
`;

const write = (more = ''): void =>
  writeFileSync(join(dir, 'start.sh'), script((tcp.address() as AddressInfo).port, more));

before(async () => {
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  mkdirSync(dir, { recursive: true });
  cpSync(RAW, dir, { recursive: true });
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(dir, 'node_modules'));
  writeFileSync(secret, 'a secret of another program');
  const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as object;
  writeFileSync(
    join(dir, 'manifest.json'),
    JSON.stringify({ ...manifest, start: { command: ['/bin/sh', './start.sh'] } }),
  );
  write();
  broker = await startBroker({
    dataDir,
    args: ['--no-shipped', '--durability', 'os', '--module', dir],
  });
});
after(async () => {
  tcp.close();
  await broker?.[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const holds = async (layer: string): Promise<boolean> =>
  (await brokerStatus(dataDir)).cage.layers.some((each) => each.layer === layer && each.holds);

/** What takes more than a module may have; each leaves processes with the mark. */
const mark = (what: string): string => `${home.path}/${what}`;
const TAKES = byForm({
  short: ['processes'],
  deep: ['processes', 'memory', 'files'],
} as const) as readonly (keyof typeof TOO_MUCH)[];
const TOO_MUCH = {
  processes: {
    code: `i=0; while [ $i -lt 200 ]; do perl -e 'sleep 60; # ${mark('processes')}' & i=$((i+1)); done`,
    said: /it took more than 128 processes/,
  },
  memory: {
    code: `perl -e '$x = "x" x 2_000_000_000; sleep 60; # ${mark('memory')}' &`,
    said: /it took more than 1\.\d+ GiB of memory/,
  },
  files: {
    code: `perl -e 'for (1 .. 21_000) { open my $f, ">", "$ENV{TMPDIR}/$_" } sleep 60; # ${mark('files')}' &`,
    said: /it took more than 20000 files/,
  },
} as const;

describe('a hostile module in another language', () => {
  it('is refused each act', async () => {
    const told = (): readonly string[] =>
      broker.stderr.flatMap(
        (line) => / act (\w+): (.*): (done|refused)/.exec(line)?.slice(1, 4).join(' ') ?? [],
      );
    await waitFor('its acts', () => broker.stderr.some((line) => line.includes('acts: all')));
    assert.equal(told().length, 14);
    for (const act of told()) {
      const [layer = ''] = act.split(' ');
      if (await holds(layer)) assert.match(act, / refused$/);
    }
    assert.equal(readFileSync(secret, 'utf8'), 'a secret of another program');
    assert.ok(!existsSync(join(home.path, 'planted')));
    assert.ok(
      broker.ready.modules.some(({ name }) => name === 'raw'),
      'it handles commands all the same',
    );
  });

  for (const what of TAKES)
    it(`is cut off when what it started takes too much: ${what}`, async (t) => {
      if (!(await holds('calls'))) return t.diagnostic('calls are missing: its children can leave its group');
      const { code, said } = TOO_MUCH[what];
      write(code);
      const loaded = moduleCommand(broker, 'reload', 'raw', '--no-trial');
      await waitFor('the broker to say so', () => broker.stderr.some((line) => said.test(line)));
      write();
      await waitFor('its children to end', () => processesMentioning(mark(what)).length === 0);
      await loaded;
      await waitFor('the module', async () =>
        (await brokerStatus(dataDir)).modules.some(({ name, state }) => name === 'raw' && state === 'loaded'),
      );
    });
});
