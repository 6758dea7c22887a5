import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HEADER } from '../../schemas/headers.js';
import { seedIn } from '../../link/token-file.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { bearer, type HttpHeaders, type HttpSaid, httpAt } from './http-requests.js';
import { DOUBLED, writeStore } from './store-module.js';

interface Step {
  readonly seq: number;
  readonly agent: string;
  readonly state: { readonly left: number; readonly pin: unknown };
  readonly changes: readonly object[];
}
interface Steps {
  readonly base: { readonly seq: number; readonly state: Step['state'] } | null;
  readonly steps: readonly Step[];
  readonly checked: number;
  readonly to: number;
  readonly next: number | null;
}

const dir = tempDir();
const dataDir = join(dir.path, 'data');
let broker: TestBroker;
let http: ReturnType<typeof httpAt>;
let reader: HttpHeaders;
/** The results of what was taken, in order. */
const taken: { readonly agent: string; readonly result: number }[] = [];

const QUANTITIES = [1, 2, 3, DOUBLED, 5, 7];

const take = async (agent: string, quantity: number): Promise<void> => {
  const said = await http.post(`/v1/calls/store/take/${agent}`, JSON.stringify({ quantity }));
  assert.equal(said.status, 200, JSON.stringify(said.body));
  taken.push({ agent, result: Number(said.headers.get(HEADER.result)) });
};

before(async () => {
  broker = await startBroker({
    dataDir,
    http: true,
    shipped: [],
    args: ['--durability', 'os', '--module', writeStore(join(dir.path, 'store'))],
  });
  http = httpAt(broker.ready.http ?? '');
  const path = join(dir.path, 'reader.token');
  const made = await tallystick(['token', 'create', 'reader', '--allow', 'operate reader', '--out', path], {
    dataDir,
  });
  assert.equal(made.code, 0, made.stderr);
  reader = bearer(seedIn(readFileSync(path, 'utf8')) ?? '');
  for (const quantity of QUANTITIES) for (const agent of ['a', 'b']) await take(agent, quantity);
  await http.post('/v1/calls/store/lock/a', '{"pin":"1234"}');
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const isProblem = (said: HttpSaid, code: string, status: number): void =>
  assert.deepEqual([said.body.code, said.status], [code, status], JSON.stringify(said.body));

const steps = async (path: string): Promise<Steps> => {
  const said = await http.get(`/v1/steps/${path}`, reader);
  assert.equal(said.status, 200, JSON.stringify(said.body));
  return said.body as unknown as Steps;
};

const resultOf = (agent: string, place: number): number =>
  taken.filter((each) => each.agent === agent)[place]?.result ?? 0;

describe('the past over HTTP', () => {
  test('is refused to guests, and bad queries have typed answers', async () => {
    for (const path of ['/v1/steps/store', '/v1/steps/store/a', '/v1/log/times', '/v1/log/counts?at=1'])
      isProblem(await http.get(path), 'SERVER_REFUSED', 401);
    isProblem(await http.get('/v1/steps/store?where=state.left%20%3C', reader), 'EXPRESSION_INVALID', 400);
    isProblem(await http.get('/v1/steps/store?where=state.left', reader), 'EXPRESSION_INVALID', 400);
    isProblem(await http.get('/v1/steps/store?from=0', reader), 'HTTP_INVALID', 400);
    isProblem(await http.get('/v1/steps/nobody', reader), 'MODULE_UNKNOWN', 404);
    isProblem(await http.get('/v1/log/counts', reader), 'HTTP_INVALID', 400);
    isProblem(await http.get('/v1/log/times?limit=501', reader), 'HTTP_INVALID', 400);
  });

  test('steps of an agent are those of the command line, page after page', async () => {
    const { code, stdout, stderr } = await tallystick(['replay', 'state', 'store', 'a', '--step', '--json'], {
      dataDir,
    });
    assert.equal(code, 0, stderr);
    const told = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ ...(JSON.parse(line) as Step), agent: 'a' }));
    assert.equal(told.length, QUANTITIES.length + 1);
    const paged: Step[] = [];
    for (let from: number | null = 1; from !== null; ) {
      const page: Steps = await steps(`store/a?limit=3&from=${from}`);
      assert.deepEqual(page.base?.state ?? null, paged.at(-1)?.state ?? null, 'the state before the page');
      paged.push(...page.steps);
      from = page.next;
    }
    assert.deepEqual(paged, told);
  });

  test('steps of a module are those of all its agents, each from its own state before', async () => {
    const all = await steps('store');
    assert.equal(all.steps.length, taken.length + 1);
    assert.equal(all.base, null);
    assert.deepEqual(
      all.steps.map(({ seq }) => seq),
      all.steps.map(({ seq }) => seq).sort((a, b) => a - b),
    );
    const from = resultOf('b', 2);
    const rest = await steps(`store?from=${from}`);
    assert.deepEqual(
      rest.steps,
      all.steps.filter(({ seq }) => seq >= from),
    );
  });

  test('an expression finds the record that made a state wrong, for one agent and for any', async () => {
    const where = encodeURIComponent('state.left != before.left - event.data.quantity');
    const isTaken = encodeURIComponent("event.name == 'taken' && ");
    const ofB = await steps(`store/b?where=${isTaken}${where}&limit=1`);
    assert.deepEqual(
      ofB.steps.map(({ seq, state }) => [seq, state.left]),
      [[resultOf('b', 3), 68]],
    );
    const ofAny = await steps(`store?where=${isTaken}${where}&limit=1`);
    assert.deepEqual(
      ofAny.steps.map(({ seq, agent }) => [seq, agent]),
      [[resultOf('a', 3), 'a']],
    );
    const next = await steps(`store?where=${isTaken}${where}&limit=1&from=${ofAny.next}`);
    assert.deepEqual(
      next.steps.map(({ agent }) => agent),
      ['b'],
    );
    const last = await steps(`store?where=${isTaken}${where}&from=${next.next}`);
    assert.deepEqual([last.steps, last.next], [[], null]);
  });

  test('an expression sees hidden values as hidden', async () => {
    const { steps: all } = await steps('store/a');
    assert.doesNotMatch(JSON.stringify(all), /1234/);
    const guessed = await steps(`store/a?where=${encodeURIComponent("state.pin == '1234'")}`);
    assert.deepEqual(guessed.steps, []);
  });

  test('the log is told by its times, and its modules by their counts', async () => {
    const times = (await http.get('/v1/log/times?limit=5', reader)).body as {
      readonly firstSeq: number;
      readonly lastSeq: number;
      readonly places: readonly { readonly seq: number; readonly time: string }[];
    };
    assert.equal(times.places.length, 5);
    assert.deepEqual([times.places[0]?.seq, times.places.at(-1)?.seq], [times.firstSeq, times.lastSeq]);
    const record = await http.get(`/v1/records/${times.places[2]?.seq}`, reader);
    assert.equal(
      new Date(record.body.time as string).getTime(),
      new Date(times.places[2]?.time ?? '').getTime(),
    );
    const at = resultOf('b', 1);
    const counts = await http.get(`/v1/log/counts?at=${at}`, reader);
    const [store] = counts.body.modules as readonly Record<string, unknown>[];
    const { records } = (await http.get(`/v1/records?module=store&to=${at}`, reader)).body as {
      readonly records: readonly { readonly kind: string }[];
    };
    const ofKind = (kind: string): number => records.filter((each) => each.kind === kind).length;
    assert.deepEqual(store, {
      ...{ module: 'store', commands: ofKind('cmd') },
      ...{ results: ofKind('res'), events: ofKind('evt') },
    });
  });

  test('a log that grows meanwhile is counted exactly', async () => {
    const at = resultOf('b', 1);
    const counted = (await http.get(`/v1/log/counts?at=${at}`, reader)).body;
    let goOn = true;
    const load = (async () => {
      while (goOn) await http.post('/v1/calls/store/take/c', '{"quantity":1}');
    })();
    try {
      let looks = 0;
      await waitFor('some looks', async () => {
        const said = await http.get(`/v1/log/counts?at=${at}`, reader);
        if (said.status === 200) {
          assert.deepEqual(said.body, counted);
          looks += 1;
        }
        return looks >= 5 || undefined;
      });
    } finally {
      goOn = false;
      await load;
    }
  });
});
