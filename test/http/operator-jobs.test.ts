import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { tallystick } from '../support/broker.js';
import { waitFor } from '../support/wait-for.js';
import type { HttpSaid } from './http-requests.js';
import { BURST, isProblem, type OperatorBroker, startOperatorBroker } from './operator-broker.js';

describe('jobs and log lines over HTTP', () => {
  let own: OperatorBroker;

  before(async () => {
    own = await startOperatorBroker();
  });
  after(async () => {
    await own?.[Symbol.asyncDispose]();
  });

  test('a verification is a job with a result, for the one who started it', async () => {
    const { http, reader, keeper } = own;
    const started = await http.post('/v1/verifications', '{}', reader);
    assert.equal(started.status, 202);
    const path = started.headers.get('location') ?? '';
    const job = await waitFor('the verification', async () => {
      const { body } = await http.get(path, reader);
      return body.state === 'running' ? undefined : body;
    });
    assert.equal(job.state, 'done', JSON.stringify(job));
    assert.equal((job.verification as { ok: boolean }).ok, true);
    isProblem(await http.get(path, keeper), 'HTTP_UNKNOWN', 404);
    assert.equal(job.certificate, null);
  });

  test('a verification gives a certificate that the command line checks', async () => {
    const { http, reader, path: folder, dataDir } = own;
    const started = await http.post('/v1/verifications', '{"certificate":true}', reader);
    const path = started.headers.get('location') ?? '';
    const job = await waitFor('the verification', async () => {
      const { body } = await http.get(path, reader);
      return body.state === 'running' ? undefined : body;
    });
    assert.equal(job.state, 'done', JSON.stringify(job));
    const file = join(folder, 'certificate.json');
    writeFileSync(file, JSON.stringify(job.certificate));
    const checked = await tallystick(['replay', 'verify', '--no-states', '--against', file], { dataDir });
    assert.equal(checked.code, 0, checked.stderr);
    assert.match(checked.stdout, /checked against the certificate of/);
  });

  test('log lines are what the command line prints, by pages in both directions', async () => {
    const { http, reader, broker, lines } = own;
    assert.ok(broker.ready.modules.length > 0);
    // Whatever a token or a module has caused to be printed before.
    const pid = broker.ready.modules.find(({ name }) => name === 'accounts')?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    const told = await waitFor('the line about it', async () => {
      const { body } = await http.get('/v1/modules/accounts/logs?level=warn', reader);
      const all = body.lines as readonly { readonly n: number; readonly msg: string }[];
      return all.find(({ msg }) => msg.includes('its process ended (signal:SIGKILL)'));
    });
    const before = (await http.get(`/v1/logs?before=${told.n + 1}&limit=1`, reader)).body;
    assert.deepEqual(before.lines, [told]);
    const after = (await http.get(`/v1/logs?after=${told.n - 1}&limit=1`, reader)).body;
    assert.deepEqual([after.lines, (after.lines as readonly unknown[]).length], [[told], 1]);
    const all = (await http.get('/v1/logs?after=0&limit=500', reader)).body.lines as readonly unknown[];
    isProblem(await http.get('/v1/modules/nobody/logs', reader), 'MODULE_UNKNOWN', 404);
    const printedLines = await lines('logs', '--lines', '500');
    assert.deepEqual(all, printedLines.slice(0, all.length));
  });

  test('a burst runs on a separate broker, one at a time, and ends when it is cancelled', async () => {
    const { http, reader, keeper, admin } = own;
    isProblem(await http.get('/v1/bursts', keeper), 'NOT_ALLOWED', 403);
    const long = BURST.replace('"seconds":2', '"seconds":60');
    const first = await http.post('/v1/bursts', long, admin);
    assert.equal(first.status, 202, JSON.stringify(first.body));
    const path = first.headers.get('location') ?? '';
    isProblem(await http.post('/v1/bursts', BURST, admin), 'OVERLOADED', 429);
    const moments = ({ body }: HttpSaid): readonly { readonly acked: number }[] =>
      body.moments as readonly { readonly acked: number }[];
    await waitFor(
      'records that are acknowledged',
      async () => {
        const said = await http.get(path, admin);
        assert.equal(said.body.state, 'running', JSON.stringify(said.body));
        return (moments(said).at(-1)?.acked ?? 0) > 0 || undefined;
      },
      60_000,
    );
    assert.equal((await http.post(`${path}/cancel`, '{}', admin)).body.state, 'cancelled');
    assert.equal((await http.post(`${path}/cancel`, '{}', admin)).body.state, 'cancelled');
    isProblem(await http.post('/v1/bursts/x/cancel', '{}', admin), 'HTTP_UNKNOWN', 404);

    const second = await http.post('/v1/bursts', BURST, admin);
    assert.equal(second.status, 202, JSON.stringify(second.body));
    const job = await waitFor(
      'the burst',
      async () => {
        const { body } = await http.get(second.headers.get('location') ?? '', admin);
        return body.state === 'running' ? undefined : body;
      },
      120_000,
    );
    assert.equal(job.state, 'done', JSON.stringify(job).slice(0, 2_000));
    const report = job.report as { readonly offered: number; readonly acked: number; readonly lost: number };
    assert.deepEqual([report.offered, report.acked, report.lost], [1_200, 1_200, 0]);
    assert.match(job.picture as string, /^<svg /);
    const { body } = await http.get('/v1/bursts', admin);
    assert.deepEqual(
      (body.bursts as readonly { readonly state: string }[]).map(({ state }) => state),
      ['cancelled', 'done'],
    );
    const { body: found } = await http.get('/v1/records?module=burst', reader);
    assert.deepEqual(found.records, [], 'the log of this broker has no record of the burst');
  });
});
