import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { seedIn } from '../../link/token-file.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { processesMentioning } from '../support/processes.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { bearer, type HttpHeaders, httpAt } from './http-requests.js';

const dir = tempDir();
const dataDir = join(dir.path, 'data');
let broker: TestBroker;
let url: string;
let http: ReturnType<typeof httpAt>;
let seed: string;
let reader: HttpHeaders;

before(async () => {
  broker = await startBroker({ dataDir, http: true, shipped: ['accounts'], args: ['--durability', 'os'] });
  url = broker.ready.http ?? '';
  http = httpAt(url);
  const path = join(dir.path, 'reader.token');
  const made = await tallystick(['token', 'create', 'reader', '--allow', 'operate reader', '--out', path], {
    dataDir,
  });
  assert.equal(made.code, 0, made.stderr);
  seed = seedIn(readFileSync(path, 'utf8')) ?? '';
  reader = bearer(seed);
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

interface StreamEvent {
  readonly id: number;
  readonly record: { readonly seq: number; readonly kind: string; readonly agent: string };
}

/** Reads events until there are so many, and leaves. */
const events = async (
  path: string,
  count: number,
  headers: HttpHeaders = {},
  begun: () => Promise<void> = async () => undefined,
): Promise<readonly StreamEvent[]> => {
  const leaving = new AbortController();
  const response = await fetch(url + path, { headers: { ...reader, ...headers }, signal: leaving.signal });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  await begun();
  const found: StreamEvent[] = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const id = /^id: (\d+)$/m.exec(part)?.[1];
      if (id === undefined) continue;
      const data = [...part.matchAll(/^data: (.*)$/gm)].map(([, line]) => line).join('\n');
      found.push({ id: Number(id), record: JSON.parse(data) as StreamEvent['record'] });
    }
    if (found.length >= count) break;
  }
  leaving.abort();
  return found.slice(0, count);
};

const deposit = async (agent: string, times = 1): Promise<void> => {
  for (let i = 0; i < times; i++) await http.post(`/v1/calls/accounts/deposit/${agent}`, '{"amount":1}');
};

const rssOfHttp = (): number => {
  const pid = processesMentioning(broker.url).find(({ command }) => command.includes('http-main.js'))?.pid;
  const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1_024;
};

describe('the stream of records', () => {
  test('begins with the next record, or where it is told to', async () => {
    await deposit('ann', 2);
    // The events come behind the results.
    assert.equal((await events('/v1/records/stream?agent=ann&from=1', 6)).length, 6);
    const next = await events('/v1/records/stream?agent=ann', 3, {}, () => deposit('ann'));
    assert.equal(next[0]?.record.kind, 'cmd');
    const all = await events('/v1/records/stream?agent=ann&from=1', 9);
    assert.deepEqual(all.slice(6), next);
    assert.ok(all.every(({ id, record }) => id === record.seq && record.agent === 'ann'));
  });

  test('goes on behind the record that a client has seen last', async () => {
    const all = await events('/v1/records/stream?agent=ann&from=1', 9);
    const rest = await events('/v1/records/stream?agent=ann', 5, { 'Last-Event-ID': `${all[3]?.id}` });
    assert.deepEqual(rest, all.slice(4));
    const odd = await http.get('/v1/records/stream', { ...reader, 'Last-Event-ID': 'x' });
    assert.deepEqual([odd.status, odd.body.code], [400, 'HTTP_INVALID']);
  });

  test('a reader that reads nothing costs bounded memory, and gets all when it reads', async () => {
    const big = JSON.stringify({ amount: 1, note: 'x'.repeat(800_000) });
    // What readers hold must stand out from what waits for the collection of garbage.
    const count = 40;
    const idle = 8;
    for (let from = 0; from < count; from += 20) {
      const sent = Array.from({ length: 20 }, (_, i) =>
        http.post(`/v1/commands/accounts/deposit/big-${from + i}`, big),
      );
      assert.ok((await Promise.all(sent)).every(({ status }) => status === 202));
    }
    await deposit('last');
    const before = rssOfHttp();
    const readers = await Promise.all(
      Array.from(
        { length: idle },
        () =>
          new Promise<ReturnType<typeof connect>>((resolve) => {
            const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
              socket.write(
                `GET /v1/records/stream?from=1&kind=cmd HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${seed}\r\n\r\n`,
              );
              socket.pause();
              resolve(socket);
            });
          }),
      ),
    );
    // Another reader gets its records meanwhile.
    const others = await events('/v1/records/stream?from=1&kind=cmd', count);
    assert.equal(others.length, count);
    const grown = rssOfHttp() - before;
    assert.ok(grown < (idle * count * big.length) / 2, `${grown} bytes for readers that do not read`);
    const [slow] = readers;
    let seen = 0;
    let tail = '';
    slow?.on('data', (chunk: Buffer) => {
      const text = tail + chunk.toString('latin1');
      seen += text.match(/\nid: \d+\n/g)?.length ?? 0;
      tail = text.slice(-20).replace(/\nid: \d+\n/, '');
    });
    slow?.resume();
    await waitFor('the slow reader to get all', () => (seen >= count ? true : undefined), 60_000);
    for (const each of readers) each.destroy();
  });

  test('ends when the token is revoked, and when the broker stops', async () => {
    const path = join(dir.path, 'gone.token');
    await tallystick(['token', 'create', 'gone', '--allow', 'operate reader', '--out', path], { dataDir });
    const gone = bearer(seedIn(readFileSync(path, 'utf8')) ?? '');
    const response = await fetch(`${url}/v1/records/stream`, { headers: gone });
    assert.equal(response.status, 200);
    const ended = response.text().catch(() => 'cut');
    const revoked = await tallystick(['token', 'revoke', 'gone'], { dataDir });
    assert.equal(revoked.code, 0, revoked.stderr);
    await ended;
    const open = await fetch(`${url}/v1/records/stream`, { headers: reader });
    const stopped = open.text().catch(() => 'cut');
    await broker.stop();
    await stopped;
  });
});
