import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { seedIn } from '../../link/token-file.js';
import { writeClerk } from '../http/clerk-module.js';
import { httpAt } from '../http/http-requests.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { brokerStatus } from '../support/broker-status.js';
import { makeAuthority, makeCertificate } from '../support/certificates.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { buildTools } from '../../perf/tools/build-tools.js';
import { testEnvironment } from '../runner/environment.js';
import { tempDir } from '../support/temp-dir.js';
import { fillBroker, makeLoad } from './fill-broker.js';
import { findBrowser } from './find-browser.js';
import { walkSteps } from './walk-steps.js';

const dir = tempDir();
const dataDir = join(dir.path, 'data');
const clerkDir = join(dir.path, 'clerk');
const foreign: string[] = [];
const errors: string[] = [];
let broker: TestBroker;
let http: ReturnType<typeof httpAt>;
let url: string;
let secureUrl: string;
let seed: string;
let browser: Browser;
let page: Page;
let loading = true;
let load: Promise<void>;

const begin = async (): Promise<void> => {
  mkdirSync(join(PROJECT_ROOT, 'docs', 'images'), { recursive: true });
  const served = await makeCertificate(dir.path, 'broker', await makeAuthority(dir.path, 'authority'));
  broker = await startBroker({
    dataDir,
    http: true,
    shipped: ['agents', 'accounts', 'orders'],
    args: [
      ...['--durability', 'os', '--guest', 'call', '--http-listen', '127.0.0.1:0'],
      ...['--tls-cert', served.cert, '--tls-key', served.key],
    ],
  });
  secureUrl = (await brokerStatus(dataDir)).httpListen ?? '';
  url = broker.ready.http ?? '';
  http = httpAt(url);
  const path = join(dir.path, 'admin.token');
  const grants = ['operate admin', 'call *', 'send *'].flatMap((grant) => ['--allow', grant]);
  const made = await tallystick(['token', 'create', 'admin', ...grants, '--out', path], { dataDir });
  assert.equal(made.code, 0, made.stderr);
  seed = seedIn(readFileSync(path, 'utf8')) ?? '';
  writeClerk(clerkDir);
  await fillBroker(http, seed, dir.path);
  load = makeLoad(http, () => loading);
  browser = await chromium.launch({
    executablePath: findBrowser(),
    args: ['--no-sandbox'],
  });
  const context = await browser.newContext({
    viewport: { width: 1_280, height: 800 },
    locale: 'en-GB',
    // The authority of the test is not one of the browser's.
    ignoreHTTPSErrors: true,
  });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('request', (request) => {
    // The page itself makes the picture of a burst and the file of a certificate.
    const asked = request.url().replace(/^blob:/, '');
    if (![url, secureUrl].some((own) => asked.startsWith(own))) foreign.push(request.url());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // The browser itself reports each answer with an error, also those that the page shows.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      errors.push(message.text());
  });
};
const end = async (): Promise<void> => {
  loading = false;
  await load;
  await browser?.close();
  await broker?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
};

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const walk = async (): Promise<void> => {
  let passed = 0;
  let failed = 0;
  let all = 1;
  try {
    await begin();
    const steps = walkSteps({ page, http, url, secureUrl, seed, dataDir, clerkDir, foreign, errors });
    all = steps.length;
    for (const [name, step] of steps) {
      try {
        await step();
        passed += 1;
        say(`✔ ${name}`);
      } catch (error) {
        failed += 1;
        say(`✖ ${name}\n${(error as Error).stack}`);
        await page.screenshot({
          path: join(tmpdir(), `tallystick-browser-${failed}.png`),
        });
      }
    }
  } finally {
    await end();
  }
  say(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed === all ? 0 : 1;
};

await using home = tempDir();
Object.assign(process.env, testEnvironment(await buildTools(say), home.path));
await walk();
