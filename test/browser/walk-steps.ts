import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { ModuleStatus } from '../../schemas/operate.js';
import { bearer, type httpAt } from '../http/http-requests.js';
import { tallystick } from '../support/broker.js';
import { waitFor } from '../support/wait-for.js';
import { looksWell } from './looks.js';

/** A payload that would be an element if it were markup. */
const MARKUP = '<img src=x onerror="document.title=1"><b>bold</b>';

/** A page at a broker under load. */
export interface Walker {
  readonly page: Page;
  readonly http: ReturnType<typeof httpAt>;
  readonly url: string;
  /** The same broker with TLS. */
  readonly secureUrl: string;
  readonly seed: string;
  readonly dataDir: string;
  /** Where the module `clerk` is. */
  readonly clerkDir: string;
  /** What the page asked of other sites. */
  readonly foreign: readonly string[];
  /** What the page reported. */
  readonly errors: readonly string[];
}

type WalkStep = readonly [name: string, walk: () => Promise<void>];

/** One walk through the views: each step begins where the one before ended. */
export const walkSteps = ({
  page,
  http,
  url,
  secureUrl,
  seed,
  dataDir,
  clerkDir,
  foreign,
  errors,
}: Walker): readonly WalkStep[] => {
  const view = (name: string): Promise<void> =>
    page.getByRole('navigation').getByRole('link', { name }).click();
  const seen = (text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();

  return [
    [
      'a guest sees what to do, and types a token by keyboard once',
      async () => {
        await page.goto(url);
        await seen('You are a guest');
        await looksWell(page, 'guest', false);
        await page.getByLabel('Action, as MODULE.ACTION').fill('accounts.deposit');
        await page.getByLabel('Agent').fill('by-guest');
        await page.getByLabel('Input', { exact: true }).fill('{"amount":2}');
        await page.getByRole('button', { name: 'Call accounts.deposit' }).click();
        await seen('balance');
        await page.getByRole('button', { name: 'Use a token' }).focus();
        await page.keyboard.press('Enter');
        await page.getByLabel('Token', { exact: true }).fill(`# a token file\n${seed}\n`);
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: 'Now' }).waitFor();
        await page.reload();
        await page.getByRole('heading', { name: 'Now' }).waitFor();
      },
    ],

    [
      'Now says first what is wrong, and its lines move',
      async () => {
        await seen(/broken is parked/);
        await page.locator('.figure .spark-line').first().waitFor({ state: 'attached' });
        const before = await page.locator('.figure .spark-line').first().getAttribute('points');
        await waitFor('the line to move', async () =>
          (await page.locator('.figure .spark-line').first().getAttribute('points')) === before
            ? undefined
            : true,
        );
        await waitFor(
          'some points of the lines',
          async () =>
            ((await page.locator('.figure .spark-line').first().getAttribute('points')) ?? '').split(' ')
              .length >= 8 || undefined,
          60_000,
        );
        await looksWell(page, 'now');
        const { body } = await http.get('/v1/modules', bearer(seed));
        const accounts = (body.modules as readonly ModuleStatus[]).find(({ name }) => name === 'accounts');
        process.kill(accounts?.pid ?? 0, 'SIGKILL');
        await seen(/accounts (starts again|ended before)/);
      },
    ],

    [
      'Modules shows actions with their schemas, calls one, and loads, reloads and unloads',
      async () => {
        await view('Modules');
        await page
          .locator('.side')
          .getByRole('link', { name: /accounts/ })
          .click();
        await page.getByRole('heading', { name: /^accounts/ }).waitFor();
        await seen(/amount: /);
        await page.getByRole('link', { name: 'Call deposit', exact: true }).click();
        await page.getByLabel('Agent').fill('alice');
        await page.getByLabel('Input', { exact: true }).fill('{"amount":');
        assert.ok(await page.getByRole('button', { name: 'Call accounts.deposit' }).isDisabled());
        for (const amount of [5, 7, 30]) {
          await page.getByLabel('Input', { exact: true }).fill(`{"amount":${amount}}`);
          await page.getByRole('button', { name: 'Call accounts.deposit' }).click();
          await page
            .locator('.outcome')
            .getByText(`balance: ${[5, 12, 42][[5, 7, 30].indexOf(amount)]}`)
            .waitFor();
        }
        await looksWell(page, 'modules');
        await page.getByText('Load a module').click();
        await page.getByLabel('Directory on the machine').fill(clerkDir);
        await page.getByLabel('Give its cage').check();
        await page.getByRole('button', { name: 'Load', exact: true }).click();
        await page.getByRole('heading', { name: /^clerk/ }).waitFor();
        await page.getByRole('button', { name: 'Reload' }).click();
        await seen('clerk is loaded.');
        await page.getByRole('link', { name: 'Call note' }).click();
        await page.getByLabel('Agent').fill('odd');
        await page.getByLabel('Input', { exact: true }).fill(JSON.stringify({ text: MARKUP, other: MARKUP }));
        await page.getByRole('button', { name: 'Call clerk.note' }).click();
        await page.locator('.outcome .badge').waitFor();
        await page
          .locator('.side')
          .getByRole('link', { name: /broken/ })
          .click();
        await page.locator('.log-lines .error').getByText('broken: parked').waitFor();
        await page.locator('.log-lines').getByText('the address of the printer is missing').first().waitFor();
        await page.locator('.log-lines').scrollIntoViewIfNeeded();
        await looksWell(page, 'log-lines', false);
        await page.locator('.side').getByRole('link', { name: /store/ }).click();
        await page.locator('.log-lines').getByText('printer').first().waitFor({ state: 'detached' });
      },
    ],

    [
      'Agents are found, and their state is a tree, now and at any record',
      async () => {
        await view('Agents');
        await page.getByLabel('Module').selectOption('accounts');
        await page.getByLabel('Name begins with').fill('ali');
        await page.locator('.side').getByRole('link', { name: /alice/ }).click();
        await seen('State now');
        await page.locator('.detail .json').getByText('42').waitFor();
        await page.locator('.history a').filter({ hasText: 'res' }).nth(1).click();
        await seen('State at');
        await page.locator('mark').getByText('12').waitFor();
        await looksWell(page, 'agents');
        await page.getByRole('button', { name: 'Later' }).click();
        await page.getByRole('link', { name: 'Back to the state of now' }).click();
        await seen('State now');
      },
    ],

    [
      'Conversations are listed, and one is a sequence, a timeline, and all its records',
      async () => {
        await http.post('/v1/calls/accounts/deposit/anna', '{"amount":100}');
        await http.post('/v1/calls/agents/spawn/anna', '{}', bearer(seed));
        await http.post('/v1/calls/orders/restock/lamp', '{"quantity":9}', bearer(seed));
        const placed = await http.post(
          '/v1/calls/orders/place/order-1',
          '{"item":"lamp","quantity":2,"unitPrice":15,"customer":"anna"}',
          bearer(seed),
        );
        const seq = placed.headers.get('Tally-Cause');
        await view('Conversations');
        await page.locator('.picks').getByRole('link').first().waitFor();
        await page.getByLabel('Of record').fill(`${seq}`);
        await page.keyboard.press('Enter');
        await page
          .getByRole('heading', { name: /^Conversation/ })
          .nth(1)
          .waitFor();
        await page.locator('svg.sequence .arrow').nth(3).waitFor({ state: 'attached' });
        await page.locator('details.record > summary').first().click();
        await looksWell(page, 'conversations');
        await page.getByRole('button', { name: 'Timeline' }).click();
        await page.locator('.timeline li').first().waitFor();
        await looksWell(page, 'timeline');
      },
    ],

    [
      'the time machine finds a planted bug in three actions',
      async () => {
        await view('Time machine');
        await page.locator('.rate-area').waitFor({ state: 'attached' });
        await page.getByRole('combobox', { name: 'Module' }).selectOption('store');
        await page.getByLabel('Break where').fill('state.left != before.left - event.data.quantity');
        await page.getByRole('button', { name: 'Find', exact: true }).click();
        await seen(/It holds at record \d+, for shelf-1/);
        await page.getByRole('heading', { name: 'shelf-1 of store' }).waitFor();
        await page.getByLabel('Changes').getByText('left: 89 → 63').waitFor();
        await page.locator('mark').getByText('63').waitFor();
        await looksWell(page, 'time');
      },
    ],

    [
      'the time machine goes back and forward, plays to where an expression holds, and says what was then',
      async () => {
        const place = async (): Promise<number> =>
          Number(/Record (\d+) of/.exec((await page.locator('.player .place').textContent()) ?? '')?.[1]);
        const found = await place();
        await page.getByRole('button', { name: 'Back' }).click();
        await waitFor('the record before', async () => (await place()) < found || undefined);
        await page.getByRole('button', { name: 'Forward' }).click();
        await waitFor('the record again', async () => (await place()) === found || undefined);
        await page.getByLabel('Speed').selectOption('25');
        await page.getByRole('button', { name: 'Play' }).click();
        await page.getByRole('heading', { name: 'shelf-2 of store' }).waitFor();
        await page.getByRole('button', { name: 'Play' }).waitFor();
        await page.getByLabel('Changes').getByText('left: 89 → 63').waitFor();
        assert.ok((await place()) > found);
        await page.getByLabel('Record of the log').focus();
        await page.keyboard.press('Home');
        await waitFor('the first record', async () => (await place()) === 1 || undefined);
        await page.getByRole('heading', { name: 'Modules at record 1' }).waitFor();
        await page.getByLabel('Break where').fill('state.left > 1000');
        await page.getByRole('button', { name: 'Find', exact: true }).click();
        await seen(/It holds with none of \d+ states/);
        await page.getByLabel('Break where').fill('state.left >');
        await page.getByRole('button', { name: 'Find', exact: true }).click();
        await seen('EXPRESSION_INVALID');
      },
    ],

    [
      'Waits shows sleeping handlers, ends them by signal and cancel, redrives a dead letter, ends a schedule',
      async () => {
        await http.post('/v1/commands/clerk/hear/desk-1', '{}', bearer(seed));
        await http.post('/v1/commands/clerk/hold/desk-2', '{}', bearer(seed));
        await http.post('/v1/calls/clerk/fail/desk-3', '{"letter":17}', bearer(seed));
        const scheduled = await tallystick(
          ['call', 'accounts.deposit', '{"amount":1}', '--agent', 'saver', '--every', '1h'],
          { dataDir },
        );
        assert.equal(scheduled.code, 0, scheduled.stderr);
        await view('Waits');
        await page.getByText('clerk.hear desk-1').waitFor();
        await page.getByText('clerk.hold desk-2').waitFor();
        await seen('as asked');
        await page.getByText('accounts.deposit saver').waitFor();
        await looksWell(page, 'waits');
        await page.getByRole('button', { name: 'Show dead letter' }).click();
        await page.locator('.card .json').getByText('17').waitFor();
        await looksWell(page, 'letter', false);
        page.on('dialog', (dialog) => void dialog.accept());
        await page.getByRole('button', { name: 'Send paid to desk-1' }).click();
        await page.getByLabel('Data, as JSON').fill('{"by":"card"}');
        await page.getByRole('button', { name: 'Send the signal' }).click();
        await seen('The signal is stored.');
        await page.getByText('clerk.hear desk-1').waitFor({ state: 'detached' });
        await page.getByRole('button', { name: 'Cancel command' }).click();
        await page.getByText('clerk.hold desk-2').waitFor({ state: 'detached' });
        await page.getByRole('button', { name: 'Redrive dead letter' }).first().click();
        await page.getByRole('button', { name: 'Redrive again' }).first().waitFor();
        await page.getByRole('button', { name: 'End schedule' }).click();
        await page.getByText('accounts.deposit saver').waitFor({ state: 'detached' });
        await page.getByLabel('Id of the promise').fill('1-1-0123456789abcdef0123456789abcdef');
        await page.getByRole('button', { name: 'Reject' }).click();
        await seen('PROMISE_UNKNOWN');
      },
    ],

    [
      'Verify runs, and shows what it found',
      async () => {
        await view('Verify');
        await page.getByLabel('With a certificate').check();
        await page.getByRole('button', { name: 'Verify', exact: true }).click();
        await seen('No record is lost, duplicated, reordered or changed.');
        await seen('snapshots were not compared');
        await page.getByRole('link', { name: 'Download the certificate' }).waitFor();
        await looksWell(page, 'verify');
        await page.getByLabel('From').fill('then');
        await page.getByRole('button', { name: 'Verify', exact: true }).click();
        await seen('PAYLOAD_INVALID');
      },
    ],

    [
      'Burst is started, watched and cancelled, and ends with a report and a picture',
      async () => {
        await view('Burst');
        await page.getByLabel('Records a second').fill('0');
        await page.getByRole('button', { name: 'Start the burst' }).click();
        await page.getByLabel('Records a second').fill('1000');
        await page.getByLabel('Seconds', { exact: true }).fill('40');
        await page.getByRole('button', { name: 'Start the burst' }).click();
        await page.locator('.figure .spark-line').first().waitFor({ state: 'attached', timeout: 60_000 });
        await looksWell(page, 'burst-live', false);
        await page.getByRole('button', { name: 'Start the burst' }).click();
        await seen('OVERLOADED');
        await page.getByRole('button', { name: 'Cancel', exact: true }).click();
        await page.getByRole('heading', { name: 'Burst cancelled' }).waitFor();
        await page.getByLabel('Seconds', { exact: true }).fill('4');
        await page.getByLabel('module', { exact: true }).check();
        await page.getByRole('button', { name: 'Start the burst' }).click();
        await page.getByText('The log has every acknowledged record once').waitFor({ timeout: 180_000 });
        const picture = page.locator('img.burst-picture');
        await picture.waitFor();
        await waitFor('the picture to be drawn', async () =>
          (await picture.evaluate('(image) => image.naturalWidth')) === 0 ? undefined : true,
        );
        await looksWell(page, 'burst');
        await picture.scrollIntoViewIfNeeded();
      },
    ],

    [
      'payloads are text, and nothing comes from another site',
      async () => {
        await view('Agents');
        await page.getByLabel('Module').selectOption('clerk');
        await page.locator('.side').getByRole('link', { name: /odd/ }).click();
        await seen('State now');
        await page.locator('.history a').first().click();
        await seen('State at');
        assert.equal(await page.locator('main img, main b').count(), 0);
        assert.deepEqual(foreign, []);
        assert.deepEqual(errors, []);
      },
    ],

    [
      'the API is described at /docs',
      async () => {
        await page.goto(`${url}/docs`);
        await page.locator('details.record').first().waitFor();
        const { body } = await http.get('/openapi.json');
        const operations = Object.values(body.paths as object).flatMap((methods: object) =>
          Object.keys(methods),
        );
        assert.equal(await page.locator('details.record').count(), operations.length);
        await page.locator('details.record > summary').nth(2).click();
        await looksWell(page, 'api', false);
        assert.deepEqual(errors, []);
      },
    ],

    [
      'all of it works with TLS too, and the token of one address is not that of another',
      async () => {
        await page.goto(secureUrl);
        await seen('You are a guest');
        await page.getByRole('button', { name: 'Use a token' }).click();
        await page.getByLabel('Token', { exact: true }).fill(seed);
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: 'Now' }).waitFor();
        await view('Agents');
        await page.getByLabel('Module').selectOption('clerk');
        await page.locator('.side').getByRole('link', { name: /odd/ }).click();
        await seen('State now');
        assert.deepEqual(foreign, []);
        assert.deepEqual(errors, []);
      },
    ],
  ];
};
