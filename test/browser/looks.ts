import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PROJECT_ROOT } from '../support/project-root.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const DESK = { width: 1_280, height: 800 };
const WIDTHS = [360, 768, 1_280, 3_840];

interface AxeViolation {
  readonly id: string;
  readonly nodes: readonly {
    readonly html: string;
    readonly failureSummary: string;
  }[];
}

const axeFinds = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(`${AXE}; undefined`);
  const violations = (await page.evaluate(
    'axe.run(document).then(({ violations }) => violations)',
  )) as readonly AxeViolation[];
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
};

const directories = (visibility: string): string =>
  `for (const each of document.querySelectorAll('dd.directory')) each.style.visibility = '${visibility}'; undefined`;

/** Looks at a page in light and dark, narrow and wide: axe finds nothing, and nothing is wider than the window. */
export const looksWell = async (page: Page, name: string, isKept = true): Promise<void> => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate('scrollTo(0, 0)');
    assert.deepEqual(await axeFinds(page), [], `${name}, ${colorScheme}`);
    const path = join(PROJECT_ROOT, 'docs', 'images', `dashboard-${name}-${colorScheme}.png`);
    // Where a module lies is of the machine that made the picture.
    await page.evaluate(directories('hidden'));
    if (isKept) await page.screenshot({ path });
    await page.evaluate(directories(''));
  }
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: DESK.height });
    const wider = (await page.evaluate('document.scrollingElement.scrollWidth - innerWidth')) as number;
    assert.ok(wider <= 0, `${name} is ${wider} px wider than a window of ${width} px`);
  }
  await page.setViewportSize(DESK);
  await page.emulateMedia({ colorScheme: 'light' });
};
