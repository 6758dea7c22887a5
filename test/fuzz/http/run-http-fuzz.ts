import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedIn } from '../../../link/token-file.js';
import { startBroker, tallystick } from '../../support/broker.js';
import { processesMentioning } from '../../support/processes.js';
import { Seeded } from '../../support/seeded.js';
import { tempDir } from '../../support/temp-dir.js';
import { bearer, httpAt } from '../../http/http-requests.js';
import { growth, ownMemory } from '../memory.js';
import { readAnswers } from './answers.js';
import { GoodClient } from './good-client.js';
import { HTTP_KINDS, type HttpKind, oddHttp } from './odd-http.js';
import { holdConnection, rawExchange } from './raw-client.js';

export interface HttpFuzzOptions {
  readonly requests: number;
  readonly seed: number;
  /** Connections that begin a request and do not end it, at a time. */
  readonly held: number;
  readonly from?: number;
}

export interface HttpFuzzReport {
  readonly findings: readonly string[];
  readonly lines: readonly string[];
}

const LANES = 24;
const SAMPLES = 32;
/** The last quarter of a run may hold so much more than the third. */
const MOST_GROWTH = 48 * 1_024 * 1_024;
const MOST_FINDINGS = 20;
/** Without the end of our half, a server that waits for more is left after a while: few, since they take time. */
const OPEN_SHARE = 0.02;
/** Headers end within 10 s and requests within 30 s; a busy machine needs longer. */
const HELD_MS = 120_000;

/** Sends malformed requests over raw connections to a real broker, while good clients go on. */
export const runHttpFuzz = async (
  { requests, seed, held, from = 0 }: HttpFuzzOptions,
  say: (line: string) => void,
): Promise<HttpFuzzReport> => {
  await using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  await using broker = await startBroker({
    dataDir,
    http: true,
    shipped: ['accounts'],
    args: ['--durability', 'os'],
  });
  const url = broker.ready.http ?? '';
  const port = Number(new URL(url).port);
  const tokenOf = async (name: string, ...allow: readonly string[]): Promise<string> => {
    const path = join(dir.path, `${name}.token`);
    const grants = allow.flatMap((grant) => ['--allow', grant]);
    const made = await tallystick(['token', 'create', name, ...grants, '--out', path], { dataDir });
    if (made.code !== 0) throw new Error(made.stderr);
    return seedIn(readFileSync(path, 'utf8')) ?? '';
  };
  const [odd, good] = [
    await tokenOf('odd', 'call accounts', 'read accounts', 'operate reader'),
    await tokenOf('good', 'call accounts', 'read accounts'),
  ];
  const senders = ['', `Bearer ${odd}`, `Bearer ${odd.slice(0, -1)}A`, 'Basic eDp5'];
  await httpAt(url).post('/v1/calls/accounts/deposit/a', '{"amount":1}', bearer(good));
  const httpPid = (): number | undefined =>
    processesMentioning(broker.url).find(({ command }) => command.includes('http-main.js'))?.pid;
  const pid = httpPid();
  if (pid === undefined) throw new Error('no process serves HTTP');

  const findings: string[] = [];
  const find = (text: string): void => {
    findings.push(text);
    say(`finding: ${text}`);
  };
  const counts = Object.fromEntries(HTTP_KINDS.map((kind) => [kind, 0])) as Record<HttpKind, number>;
  const statuses = new Map<number, number>();
  const memory: { readonly http: number[]; readonly broker: number[] } = { http: [], broker: [] };
  const isOver = (): boolean => findings.length >= MOST_FINDINGS;
  let next = from;
  let isEnding = false;

  const judge = (text: string, what: string): void => {
    const { statuses: told, wrong } = readAnswers(text);
    for (const status of told) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (wrong !== undefined) find(`${what}: ${wrong}`);
  };
  const lane = async (): Promise<void> => {
    while (next < from + requests && !isOver()) {
      const index = next++;
      const random = new Seeded(seed + index);
      const kind = random.pick(HTTP_KINDS);
      const bytes = oddHttp(kind, random, random.pick(senders));
      counts[kind] += 1;
      judge(
        await rawExchange(port, bytes, { isHalf: random.next() >= OPEN_SHARE }),
        `seed ${seed}, ${index}, ${kind}`,
      );
      if ((index - from) % Math.max(1, Math.floor(requests / SAMPLES)) === 0) sample(index - from);
    }
  };
  const sample = (done: number): void => {
    if (httpPid() !== pid) find(`after ${done} requests: the process that serves HTTP is another one`);
    memory.http.push(ownMemory(pid) ?? 0);
    memory.broker.push(ownMemory(broker.pid) ?? 0);
    const mb = (bytes: number | undefined): string => `${((bytes ?? 0) / 1_048_576).toFixed(0)} MiB`;
    say(
      `${done} requests; HTTP ${mb(memory.http.at(-1))}, broker ${mb(memory.broker.at(-1))}; ${client.text}`,
    );
  };
  /** One after the other in one place, as long as the lanes go on. */
  const hold = async (index: number): Promise<void> => {
    while (!isEnding && !isOver()) {
      const connection = holdConnection(port, index);
      const late = setTimeout(() => {
        find(`held connection ${index} is open after ${HELD_MS / 1_000} s`);
        connection.close();
      }, HELD_MS);
      open.add(connection.close);
      const text = await connection.ended;
      open.delete(connection.close);
      clearTimeout(late);
      judge(text, `held connection ${index}`);
      // The server takes 1,024 at most, and closes others at once.
      if (text === '') await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const open = new Set<() => void>();
  const client = new GoodClient(url, good);
  const serving = client.run();
  const holding = Promise.all(Array.from({ length: held }, (_, i) => hold(i)));
  const begun = performance.now();
  await Promise.all(Array.from({ length: LANES }, lane));
  const seconds = (performance.now() - begun) / 1_000;
  isEnding = true;
  for (const close of open) close();
  await holding;
  for (const text of await client.stop(serving)) find(text);
  sample(next - from);
  for (const [name, samples] of Object.entries(memory)) {
    const went = growth(samples);
    if (went !== undefined && went.end - went.begin > MOST_GROWTH)
      find(`${name} grew from ${went.begin} to ${went.end} bytes`);
  }
  return {
    findings,
    lines: [
      `${next - from} requests in ${seconds.toFixed(0)} s, ${held} held connections; ${client.text}`,
      `kinds: ${Object.entries(counts)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', ')}`,
      `answers: ${[...statuses]
        .sort(([a], [b]) => a - b)
        .map(([status, count]) => `${status} ${count}`)
        .join(', ')}`,
    ],
  };
};
