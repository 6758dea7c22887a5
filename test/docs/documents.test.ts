import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { SERVED } from '../../broker/serving/served.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { blocksOf } from './blocks.js';
import { documents } from './documents.js';
import { GENERATED, withGenerated } from './generated.js';

/** As the code hosts make it of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1] ?? ''));

/** Commands that no test can run as they stand, each with who runs them. */
const NOT_RUN: ReadonlyMap<string, string> = new Map([
  ['npm ci && npm start', 'tried from a fresh clone; `start` itself is what every test of this folder runs'],
  ['npm ci && npm test', 'is what .ci/run does'],
  [
    'go install github.com/nats-io/natscli/nats@v0.4.0',
    'the tests build the same sources with their checksums',
  ],
  [
    'npm init -y && npm pkg set type=module && npm install tallystick && npm install --save-dev tsx',
    'needs the registry; the test of the tutorial installs what `npm pack` makes',
  ],
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 npx tallystick start',
    'test/broker/traces/traces.test.ts starts a broker so, with a collector that checks what it gets',
  ],
  ['npx tallystick start', 'continues until Ctrl-C; the test of the tutorial has a broker in its directory'],
  [
    'tallystick start --limit guest:rate=200/s --limit guest:open=1000 --limit modules:log=50% --limit orders:rate=500/s',
    'continues until Ctrl-C; test/broker/access/open-limits.test.ts starts a broker so',
  ],
  ['npx tallystick dev', 'continues until Ctrl-C; test/cli/dev.test.ts runs it'],
  ['npm ci && npm run build && npm run perf -- journal', 'test/perf runs smaller ones'],
  [
    'sudo npm install --global --prefix /usr/local tallystick\nsudo cp deploy/tallystick.service /etc/systemd/system/\nsudo systemctl enable --now tallystick',
    'needs systemd and its rights; test/docs/deploy.test.ts checks the unit',
  ],
  [
    'tallystick start --listen 0.0.0.0:4443 --tls-cert broker.pem --tls-key broker.key',
    'needs a certificate; test/broker/tls/listen.test.ts starts such a broker',
  ],
  [
    `tallystick start --http-listen 0.0.0.0:8443 --tls-cert broker.pem --tls-key broker.key\ncurl --cacert ca.pem --json '{"seats":1}' -H @till.header https://broker.example:8443/v1/calls/tickets/sell/cymbeline`,
    'needs a certificate and names a machine; test/http/https.test.ts starts such a broker and calls so',
  ],
  [
    "nats --server tls://broker.example:4443 --tlsca ca.pem --nkey ci.token req call.accounts.balance.gina '{}'\ntallystick call accounts.balance --agent gina --server tls://broker.example:4443 --tls-ca ca.pem --token ci.token",
    'names a machine; test/broker/tls/listen.test.ts calls so',
  ],
  [
    'tallystick connect add prod --server tls://broker.example:4443 --tls-ca ca.pem --token ci.token\ntallystick status',
    'names a machine; test/cli/connect.test.ts types both',
  ],
  [
    'docker build -f deploy/Dockerfile -t tallystick .\ndocker run --init --volume tallystick:/data --stop-timeout 90 tallystick',
    'needs Docker; test/docs/deploy.test.ts checks what the file names',
  ],
  [
    'npm run test:kills -- --times 50\nnpm run test:journal -- --runs 20000\nnpm run test:fuzz -- --inputs 1000000\nnpm run test:fuzz -- http --requests 1000000\nnpm run test:scale\nnpm run test:power -- --crashes 50\nnpm run test:total\nnpm run perf -- journal',
    'take hours; `npm test` runs short forms of each',
  ],
]);

describe('documents', () => {
  const all = documents();

  it('nothing that a merge left undecided stands in them', () => {
    for (const { path, text } of all) assert.doesNotMatch(text, /^(<{7}|={7}|>{7})( |$)/m, path);
  });

  it('the references of errors and of the command line are those that the program gives', async () => {
    for (const name of GENERATED) {
      const text = all.find(({ path }) => path === name)?.text ?? '';
      const message = `${name}: run node dist/test/docs/write-references.js`;
      assert.equal(text, await withGenerated(name, text), message);
    }
  });

  it('docs/reference/protocol.md names every subject that the broker serves', () => {
    const protocol = all.find(({ path }) => path === 'docs/reference/protocol.md')?.text ?? '';
    const table = protocol.slice(protocol.indexOf('## Subjects'), protocol.indexOf('## Headers'));
    for (const subject of Object.values(SERVED)) {
      const [fixed = ''] = subject.split(/[*>]/);
      assert.ok(table.includes(`\`${fixed}`), subject);
    }
  });

  it('every link goes to a file that is there, and to a heading that it has', () => {
    const broken: string[] = [];
    for (const { path, text } of all) {
      for (const match of text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
        const [, file = '', anchor] = match;
        const target = file === '' ? path : normalize(join(dirname(path), file));
        const found = all.find((other) => other.path === target);
        const isThere = existsSync(join(PROJECT_ROOT, target));
        const hasAnchor = anchor === undefined || anchorsOf(found?.text ?? '').includes(anchor);
        if (!isThere || !hasAnchor) broken.push(`${path}: ${match[0]}`);
      }
    }
    assert.deepEqual(broken, []);
  });

  it('docs/reference/api.md has every entry of the package', () => {
    const { exports } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
      readonly exports: Readonly<Record<string, unknown>>;
    };
    const api = all.find(({ path }) => path === 'docs/reference/api.md')?.text ?? '';
    const entries = Object.keys(exports).filter((key) => key !== './package.json');
    for (const key of entries) assert.ok(api.includes(`| \`tallystick${key.slice(1)}\` |`), key);
  });

  it('docs/README.md leads to every document', () => {
    const index = all.find(({ path }) => path === 'docs/README.md')?.text ?? '';
    const missing = all
      .map(({ path }) => path)
      .filter((path) => /^docs\/(?!decisions\/)/.test(path) && path !== 'docs/README.md')
      .filter((path) => !index.includes(`](${path.slice('docs/'.length)})`));
    assert.deepEqual(missing, []);
  });

  it('README.md has at most 150 lines, and code among the first 40', () => {
    const lines = all.find(({ path }) => path === 'README.md')?.text.split('\n') ?? [];
    assert.ok(lines.length <= 151, `${lines.length} lines`);
    assert.ok(lines.slice(0, 40).some((line) => line.startsWith('```ts ')));
  });

  it('README.md starts and tests by two commands, and .ci/run types the second', () => {
    const readme = all.find(({ path }) => path === 'README.md')?.text ?? '';
    const commands = blocksOf(readme)
      .filter(({ language }) => language === 'sh')
      .map(({ text }) => text.trim());
    assert.deepEqual(commands, ['npm ci && npm start', 'npm ci && npm test']);
    const ci = readFileSync(join(PROJECT_ROOT, '.ci', 'run'), 'utf8');
    assert.match(ci, /^npm ci && npm test(?: && npm run [a-z:]+)*$/m);
  });

  it('every command is in a block that a test runs, or is one of those that cannot be', () => {
    const unrun = all.flatMap(({ path, text }) =>
      blocksOf(text)
        .filter(({ language, text: body }) => /^(sh|bash|shell)$/.test(language) && !NOT_RUN.has(body.trim()))
        .map(({ line }) => `${path}:${line}`),
    );
    assert.deepEqual(unrun, []);
  });

  it('every decision has its number once, and says context, decision, why and consequences', () => {
    const decisions = all.filter(({ path }) => /^docs\/decisions\/\d/.test(path));
    assert.ok(decisions.length > 0);
    const numbers = decisions.map(({ path }) => Number(path.slice('docs/decisions/'.length).slice(0, 4)));
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i + 1),
    );
    const index = all.find(({ path }) => path === 'docs/decisions/README.md')?.text ?? '';
    for (const { path, text } of decisions) {
      assert.ok(index.includes(`](${path.slice('docs/decisions/'.length)})`), `the index leaves out ${path}`);
      for (const part of ['Context', 'Decision', 'Why', 'Consequences']) {
        assert.match(text, new RegExp(`^\\*\\*${part}\\.\\*\\*`, 'm'), path);
      }
    }
  });
});
