import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, headers, type NatsConnection } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';
import { seedIn } from '../../link/token-file.js';
import { HEADER } from '../../schemas/headers.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { Seeded } from '../support/seeded.js';
import { sourceManifest, workingCode, writeSourceModule } from '../support/source-module.js';
import { stopped } from '../support/stopped.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { bearer, httpAt } from './http-requests.js';

const dir = tempDir();
const dataDir = join(dir.path, 'data');
let broker: TestBroker;
let http: ReturnType<typeof httpAt>;

const AGENTS = ['shop-1', 'shop-2', 'house', 's', 'shop-'];
const random = new Seeded(Date.now());
/** Of one to four bytes, and those that JSON escapes. */
const CHARACTERS = ['a', '\u00ff', 'ü', '€', '\u2028', '\u0000', '\n', '"', '\\', '\u{1f600}'];
const NAMES = ['one', 'two', 'three', 'four'];
/** Grants that cover some of the modules and agents, and patterns that nearly do. */
const PATTERNS = [
  'read accounts',
  'read accounts.shop-*',
  'read accounts.*-1',
  'read marked.s',
  'read mark*.shop-2',
  'read *.house',
  'read other.*',
  'operate reader',
];

/** Nothing has to be read between the two, so a reply to one of them is a reply to the other. */
const overNats = async (nc: NatsConnection, module: string, agent: string, atLeast: number) => {
  const header = headers();
  if (atLeast > 0) header.set(HEADER.atLeast, `${atLeast}`);
  try {
    const said = await nc.request(`state.${module}.${agent}`, '', { timeout: 10_000, headers: header });
    const code = said.headers?.get(HEADER.serviceErrorCode) ?? '';
    return code === '' ? { status: 200, body: said.json<object>() } : { status: Number(code) };
  } catch (error) {
    // The server refuses what the account may not publish.
    assert.match(String(error), /permissions violation/i);
    return { status: 401 };
  }
};

const token = async (name: string, allow: readonly string[], ...more: readonly string[]): Promise<string> => {
  const path = join(dir.path, `${name}.token`);
  const grants = allow.flatMap((grant) => ['--allow', grant]);
  const made = await tallystick(['token', 'create', name, ...grants, ...more, '--out', path], { dataDir });
  assert.equal(made.code, 0, made.stderr);
  return seedIn(readFileSync(path, 'utf8')) ?? '';
};

const get = (seed: string, path: string) => http.get(`/v1/agents/${path}`, bearer(seed));

/** Replies of the broker name the module; after the first, the process may read the module itself. */
const untilLocal = async (seed: string, path: string): Promise<void> => {
  await waitFor(`${path} to be read without the broker`, async () => {
    assert.equal((await get(seed, path)).status, 200);
    using _ = await stopped(broker.pid);
    const said = await Promise.race([
      get(seed, path),
      new Promise<undefined>((resolve) => setTimeout(resolve, 500, undefined)),
    ]);
    return said?.status === 200;
  });
};

before(async () => {
  const marked = sourceManifest('marked', { sensitive: ['sum'] });
  writeSourceModule(join(dir.path, 'marked'), marked, { 'index.js': workingCode('marked') });
  broker = await startBroker({
    dataDir,
    http: true,
    shipped: ['accounts'],
    args: ['--durability', 'os', '--module', join(dir.path, 'marked')],
  });
  http = httpAt(broker.ready.http ?? '');
  for (const agent of AGENTS) {
    await http.post(`/v1/calls/accounts/deposit/${agent}`, '{"amount":3}');
    await http.post(`/v1/calls/marked/add/${agent}`, '{"n":2}');
  }
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

describe('states that the process of HTTP reads itself', () => {
  test(`are what the broker replies, for generated principals; seed ${random.seed}`, async () => {
    for (const name of NAMES) {
      const allow = Array.from({ length: random.int(1, 3) }, () => random.pick(PATTERNS));
      const seed = await token(name, [...new Set(allow)]);
      const nc = await connect({ servers: broker.url, authenticator: authenticatorOf(seed) });
      try {
        for (let round = 0; round < 2; round++)
          for (const module of ['accounts', 'marked', 'other'])
            for (const agent of [...AGENTS, 'nobody']) {
              const atLeast = random.pick([0, 0, 1, 5]);
              const wanted = await overNats(nc, module, agent, atLeast);
              const path = `${module}/${agent}${atLeast === 0 ? '' : `?atLeast=${atLeast}`}`;
              const said = await get(seed, path);
              const what = `${path} for ${allow.join(', ')}, round ${round}`;
              if (wanted.status === 200) assert.deepEqual([said.status, said.body], [200, wanted.body], what);
              else assert.ok(said.status >= 400 && said.status < 500, `${what}: ${said.status}`);
              if (wanted.status >= 400 && wanted.status !== 401)
                assert.equal(said.status, wanted.status, what);
            }
      } finally {
        await nc.close();
      }
    }
  });

  test('are read while the broker stands still, with what is marked in them', async () => {
    const seed = await token('still', ['read marked']);
    await untilLocal(seed, 'marked/house');
    const { body } = await get(seed, 'marked/house');
    assert.deepEqual(
      [body.state, body.sensitive],
      [{ sum: 2 }, [{ properties: { sum: { sensitive: true } } }]],
      JSON.stringify(body),
    );
  });

  test(`have the bytes and the headers of the broker's reply, read once or again; seed ${random.seed}`, async () => {
    const seed = await token('words', ['read marked', 'call marked']);
    const answer = async (agent: string) => {
      const said = await fetch(`${broker.ready.http}/v1/agents/marked/${agent}`, { headers: bearer(seed) });
      const headers = Object.fromEntries([...said.headers].filter(([name]) => name !== 'date'));
      return { status: said.status, headers, bytes: Buffer.from(await said.arrayBuffer()).toString('hex') };
    };
    await untilLocal(seed, 'marked/house');
    for (let round = 0; round < 8; round++) {
      const n = Array.from({ length: random.int(0, 40) }, () => random.pick(CHARACTERS)).join('');
      const called = await http.post('/v1/calls/marked/add/words', JSON.stringify({ n }), bearer(seed));
      assert.equal(called.status, 200, JSON.stringify(called.body));
      const seq = called.headers.get(HEADER.result);
      // This process has the result in its snapshots then.
      assert.equal((await get(seed, `marked/words?atLeast=${seq}`)).status, 200);
      const [first, again] = [await answer('words'), await answer('words')];
      // A path with an escape goes the way through the broker.
      const relayed = await answer('%77ords');
      assert.deepEqual([first, again], [relayed, relayed], JSON.stringify(n));
      assert.equal(first.status, 200);
    }
  });

  test('are not for pages of other sites, in whatever way a page may ask', async () => {
    const seed = await token('page', ['read accounts']);
    await untilLocal(seed, 'accounts/house');
    for (const from of [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'http://shop.example' }]) {
      const said = await http.get('/v1/agents/accounts/house', { ...bearer(seed), ...from });
      assert.deepEqual([said.status, said.body.code], [403, 'HTTP_FORBIDDEN'], JSON.stringify(from));
    }
  });

  test('have the result that a caller has seen', async () => {
    const seed = await token('caller', ['read accounts', 'call accounts']);
    await untilLocal(seed, 'accounts/house');
    for (let i = 1; i <= 20; i++) {
      const called = await http.post('/v1/calls/accounts/deposit/mine', '{"amount":1}', bearer(seed));
      const result = called.headers.get(HEADER.result);
      const { body } = await get(seed, `accounts/mine?atLeast=${result}`);
      assert.equal((body.state as { readonly balance: number }).balance, i);
    }
  });

  test('are refused as soon as the token is revoked, and without the grant that was taken away', async () => {
    const [revoked, changed] = [
      await token('gone', ['read accounts']),
      await token('less', ['read accounts']),
    ];
    await untilLocal(revoked, 'accounts/house');
    await untilLocal(changed, 'accounts/house');
    const took = await tallystick(
      ['token', 'change', 'less', '--remove', 'read accounts', '--add', 'read marked'],
      {
        dataDir,
      },
    );
    assert.equal(took.code, 0, took.stderr);
    assert.ok((await get(changed, 'accounts/house')).status >= 400);
    assert.equal((await get(changed, 'marked/house')).status, 200);
    const ended = await tallystick(['token', 'revoke', 'gone'], { dataDir });
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((await get(revoked, 'accounts/house')).body.code, 'SERVER_REFUSED');
  });

  test('are asked of the broker for a token with a limit of requests', async () => {
    const seed = await token('slow', ['read accounts'], '--limit', 'rate=2/s');
    const all = await Promise.all(Array.from({ length: 20 }, () => get(seed, 'accounts/house')));
    assert.ok(
      all.some(({ status }) => status === 429),
      `${all.map(({ status }) => status)}`,
    );
  });

  test('are those of a module that was removed no longer', async () => {
    const seed = await token('last', ['read marked']);
    await untilLocal(seed, 'marked/s');
    for (const act of ['unload', 'remove']) {
      const done = await tallystick(['module', act, 'marked', ...(act === 'remove' ? ['--yes'] : [])], {
        dataDir,
      });
      assert.equal(done.code, 0, done.stderr);
    }
    assert.equal((await get(seed, 'marked/s')).body.code, 'MODULE_UNKNOWN');
  });
});
