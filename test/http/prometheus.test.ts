import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { seedIn } from '../../link/token-file.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { writeClerk } from './clerk-module.js';
import { bearer, httpAt } from './http-requests.js';
import { findPrometheus, type PrometheusPrograms } from './prometheus-program.js';

const RULES = join(PROJECT_ROOT, 'deploy', 'prometheus', 'tallystick.rules.yml');

const dir = tempDir();
const dataDir = join(dir.path, 'data');
let broker: TestBroker;
let programs: PrometheusPrograms;
let seed: string;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });

before(async () => {
  programs = findPrometheus();
  broker = await startBroker({
    dataDir,
    http: true,
    shipped: ['accounts'],
    args: ['--durability', 'os', '--module', writeClerk(join(dir.path, 'clerk'))],
  });
  const path = join(dir.path, 'prometheus.token');
  const made = await tallystick(
    ['token', 'create', 'prometheus', '--allow', 'operate reader', '--out', path],
    {
      dataDir,
    },
  );
  assert.equal(made.code, 0, made.stderr);
  seed = seedIn(readFileSync(path, 'utf8')) ?? '';
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const checked = (args: readonly string[], input = ''): void => {
  const { status, stdout, stderr } = spawnSync(programs.promtool, args, {
    input,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
};

describe('Prometheus', () => {
  test('takes the rules of the alerts', () => checked(['check', 'rules', RULES]));

  test('takes the scrape, and an alert fires for a dead letter', async () => {
    const http = broker.ready.http ?? '';
    const scraped = await (await fetch(`${http}/metrics`, { headers: bearer(seed) })).text();
    // It warns of names and ends with 3; what it cannot read ends with 1.
    const { status, stderr } = spawnSync(programs.promtool, ['check', 'metrics'], {
      input: scraped,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.ok(status === 0 || status === 3, stderr);

    const [seedFile, config] = [join(dir.path, 'seed'), join(dir.path, 'prometheus.yml')];
    writeFileSync(seedFile, seed, { mode: 0o600 });
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [RULES],
        scrape_configs: [
          {
            job_name: 'tallystick',
            authorization: { credentials_file: seedFile },
            static_configs: [{ targets: [new URL(http).host] }],
          },
        ],
      }),
    );
    checked(['check', 'config', config]);
    const port = await freePort();
    const child = spawn(
      programs.prometheus,
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(dir.path, 'prometheus')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    try {
      const asked = async (path: string): Promise<string> =>
        (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).text();
      await waitFor('a scrape', async () => {
        const query = encodeURIComponent(
          'tallystick_dead_letters_total{module="clerk",code="HANDLER_THREW"}',
        );
        return /"value":\[[0-9.]+,"0"\]/.test(await asked(`query?query=${query}`));
      });
      await httpAt(http).post('/v1/calls/clerk/fail/a', '{}');
      await waitFor('the alert', async () => {
        const { data } = JSON.parse(await asked('alerts')) as {
          readonly data: {
            readonly alerts: readonly {
              readonly state: string;
              readonly labels: Readonly<Record<string, string>>;
            }[];
          };
        };
        return data.alerts.some(
          ({ state, labels }) =>
            state === 'firing' && labels.alertname === 'TallystickDeadLetters' && labels.module === 'clerk',
        );
      });
    } finally {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  });
});
