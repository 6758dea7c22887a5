import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from 'nats';
import { startBroker, type TestBroker } from '../support/broker.js';
import { tallystickPath } from '../support/program-paths.js';
import { type ProgramResult, runProgram } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { CLEAN_ENV } from './tallystick.js';

/** Every option of the command line that names a file to be written, on a log that begins with epoch records. */
const COMMANDS = {
  export: (seq: number) => `replay export --to ${seq} --out`,
  trace: (seq: number) => `replay trace ${seq} --mermaid --out`,
  certificate: (seq: number) => `replay verify --to ${seq} --no-states --certificate`,
};

describe('files that the command line is told to write', () => {
  let home: TempDir;
  let broker: TestBroker;
  let seq = 0;
  const sh = (command: string): Promise<ProgramResult> =>
    runProgram('sh', ['-c', command], { cwd: home.path, env: CLEAN_ENV, timeoutMs: 60_000 });
  const commandOf = (name: keyof typeof COMMANDS): string =>
    `'${process.execPath}' '${tallystickPath()}' ${COMMANDS[name](seq)}`;

  before(async () => {
    home = tempDir();
    broker = await startBroker({ dataDir: join(home.path, '.tallystick'), shipped: ['accounts'] });
    const nc = await connect({ servers: broker.url });
    const reply = await nc.request('call.accounts.deposit.ada', '{"amount":1}', { timeout: 10_000 });
    seq = Number(reply.headers?.get('Tally-Result'));
    await nc.close();
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  for (const name of Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]) {
    it(`${name}: pipes and devices take it, links and modes stay, and what fails leaves the old file and exit code 1`, async () => {
      const dir = join(home.path, name);
      mkdirSync(join(dir, 'folder'), { recursive: true });
      for (const [file, mode] of [
        ['target', 0o640],
        ['read-only', 0o444],
      ] as const) {
        writeFileSync(join(dir, file), 'old');
        chmodSync(join(dir, file), mode);
      }
      symlinkSync('target', join(dir, 'link'));
      execFileSync('mkfifo', [join(dir, 'pipe')]);
      const names = readdirSync(dir);
      const command = commandOf(name);
      const [linked, piped, full, folder, readOnly] = await Promise.all([
        sh(`${command} ${name}/link`),
        sh(`cat ${name}/pipe & ${command} ${name}/pipe > /dev/null; wait`),
        sh(`${command} /dev/full`),
        sh(`${command} ${name}/folder`),
        sh(`${command} ${name}/read-only`),
      ]);
      assert.deepEqual([linked.code, linked.stderr], [0, '']);
      assert.ok(lstatSync(join(dir, 'link')).isSymbolicLink());
      const written = readFileSync(join(dir, 'target'), 'utf8');
      assert.equal(statSync(join(dir, 'target')).mode & 0o777, 0o640);
      // A certificate has the time of its making.
      const shape = (text: string): string => text.replaceAll(/[0-9]|"signature": .*/g, '');
      assert.equal(shape(piped.stdout), shape(written));
      assert.ok(statSync(join(dir, 'pipe')).isFIFO());
      for (const [{ code, stderr }, why] of [
        [full, /^tallystick: OUTPUT_FAILED: \/dev\/full .*its disk is full\n$/],
        [folder, /^tallystick: OUTPUT_FAILED: .*it is a directory\n$/],
        [readOnly, /^tallystick: OUTPUT_FAILED: .*may not write it\n$/],
      ] as const) {
        assert.equal(code, 1);
        assert.match(stderr, why);
      }
      assert.equal(readFileSync(join(dir, 'read-only'), 'utf8'), 'old');
      assert.deepEqual(readdirSync(dir), names);
    });
  }

  it('standard output by its name is that of the command, and what is said of it stands behind', async () => {
    const { code, stderr } = await sh(`${commandOf('export')} /dev/stdout > all`);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = readFileSync(join(home.path, 'all'), 'utf8').trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^\{"tallystick":"export"/);
    assert.match(lines.at(-1) ?? '', /records are in \/dev\/stdout: \d+ bytes/);
    assert.equal(lines.length, seq + 2);
  });
});
