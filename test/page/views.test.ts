import process from 'node:process';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Site } from '../support/site.ts';
import {
  DESKTOP,
  noBrowser,
  openSite,
  overflow,
  PHONE,
  show,
  startBrowser,
  violations,
  visit,
} from './browser.ts';
import { stage } from './staged-answers.ts';

if (noBrowser !== undefined) process.stderr.write(`The views of the page are not looked at: ${noBrowser}.\n`);

const PATHS = [
  'shed1',
  'shed2',
  'shed3',
  'barn/loft',
  'barn/workshop',
  'east-wing/lamp-1',
  'east-wing/lamp-2',
];
const VIEWS = [
  '#/',
  '#/plug/shed3',
  '#/plug/barn/loft',
  '#/problems',
  '#/energy',
  '#/journal',
  '#/setup',
  '#/account',
];

describe.skipIf(noBrowser !== undefined)('every view of the page', () => {
  let browser: Browser;
  let site: Site;
  let url: string;

  beforeAll(async () => {
    browser = await startBrowser();
    [site, url] = await openSite(PATHS);
    await site.plug('barn/loft').server.stop();
    site.plug('shed1').device.press();
    await site.observer.json('museum', ({ unknown, on }) => unknown === 1 && on === 1);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  const open = async (options: Parameters<typeof visit>[2]) => {
    const page = await visit(browser, url, options);
    await stage(page.context());
    return page;
  };

  for (const [size, window] of [
    ['on a phone', PHONE],
    ['on a desktop', DESKTOP],
  ] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`is one that axe finds nothing wrong with, ${size}, ${colorScheme}`, async () => {
        const page = await open({ ...window, colorScheme });
        for (const view of VIEWS) {
          await show(page, url, view);
          expect(await violations(page), view).toEqual([]);
        }
        await page.context().close();
      }, 60_000);
    }
  }

  for (const locale of ['en-GB', 'de-DE', 'nl-NL']) {
    it(`fits into 320 pixels, and into a phone with text of twice the size, in ${locale}`, async () => {
      const page = await open({ viewport: { width: 320, height: 640 }, locale });
      for (const twice of [false, true]) {
        if (twice) await page.setViewportSize({ width: 360, height: 740 });
        for (const view of VIEWS) {
          await show(page, url, view);
          if (twice) await page.evaluate(`document.documentElement.style.fontSize = '212.5%'`);
          expect(await overflow(page), `${view}${twice ? ', text twice the size' : ''}`).toEqual([]);
        }
      }
      await page.context().close();
    }, 60_000);
  }
});
