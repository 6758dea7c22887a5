import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedIn } from '../../link/token-file.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { tempDir } from '../support/temp-dir.js';
import { bearer, type HttpHeaders, type HttpSaid, httpAt } from './http-requests.js';

/** A broker with HTTP, and tokens of all roles. */
export interface OperatorBroker extends AsyncDisposable {
  readonly path: string;
  readonly dataDir: string;
  readonly broker: TestBroker;
  readonly http: ReturnType<typeof httpAt>;
  readonly reader: HttpHeaders;
  readonly keeper: HttpHeaders;
  readonly admin: HttpHeaders;
  readonly tokenOf: (name: string, ...allow: readonly string[]) => Promise<HttpHeaders>;
  /** What the command line prints with --json, of one object. */
  readonly printed: (...args: readonly string[]) => Promise<unknown>;
  /** The lines that the command line prints with --json. */
  readonly lines: (...args: readonly string[]) => Promise<readonly unknown[]>;
}

export const isProblem = (said: HttpSaid, code: string, status: number): void =>
  assert.deepEqual([said.body.code, said.status, said.type], [code, status, 'application/problem+json']);

export const BURST = JSON.stringify({
  kind: 'events',
  rate: 500,
  seconds: 2,
  baseline: 100,
  baselineSeconds: 1,
  durability: 'os',
});

export const startOperatorBroker = async (): Promise<OperatorBroker> => {
  const dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const broker = await startBroker({
    dataDir,
    http: true,
    shipped: ['accounts'],
    args: ['--durability', 'os'],
  });
  const tokenOf = async (name: string, ...allow: readonly string[]): Promise<HttpHeaders> => {
    const path = join(dir.path, `${name}.token`);
    const grants = allow.flatMap((grant) => ['--allow', grant]);
    const made = await tallystick(['token', 'create', name, ...grants, '--out', path], { dataDir });
    assert.equal(made.code, 0, made.stderr);
    return bearer(seedIn(readFileSync(path, 'utf8')) ?? '');
  };
  const json = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await tallystick([...args, '--json'], { dataDir });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const [reader, keeper, admin] = await Promise.all([
    tokenOf('reader', 'operate reader'),
    tokenOf('keeper', 'operate keeper', 'call *', 'send *'),
    tokenOf('admin', 'operate admin'),
  ]);
  return {
    path: dir.path,
    dataDir,
    broker,
    http: httpAt(broker.ready.http ?? ''),
    reader,
    keeper,
    admin,
    tokenOf,
    printed: async (...args) => JSON.parse(await json(args)) as unknown,
    lines: async (...args) =>
      (await json(args))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown),
    [Symbol.asyncDispose]: async () => {
      await broker[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
};
