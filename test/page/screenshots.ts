import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { build } from 'vite';
import { Site } from '../support/site.ts';
import { DESKTOP, PHONE, show, startBrowser, urlOf, visit } from './browser.ts';
import { stage } from './staged-answers.ts';

/*
 * Makes the pictures of the docs: `npm run screenshots`. The plugs are simulated; what a site gathers in a year is
 * staged.
 */

const FOLDER = fileURLToPath(new URL('../../docs/images', import.meta.url));
const MOST_BYTES = 150_000;

const PLUGS: readonly (readonly [path: string, alias: string, loadW: number, on: boolean])[] = [
  ['shed1', 'Shed 1', 40, true],
  ['shed2', 'Shed 2', 40, false],
  ['shed3', 'Shed 3', 61, true],
  ['barn/loft', 'Loft', 120, true],
  ['barn/workshop', 'Workshop', 95, true],
  ['barn/stairs', 'Stairs', 18, true],
  ['east-wing/lamp-1', 'Lamp 1', 18, true],
  ['east-wing/lamp-2', 'Lamp 2', 18, true],
  ['east-wing/entrance', 'Entrance', 36, false],
];
const DEAD = ['barn/loft', 'barn/workshop'];

interface Picture {
  readonly name: string;
  readonly view: string;
  readonly window: BrowserContextOptions;
  readonly before?: (page: Page) => Promise<unknown>;
}

const dark = { ...PHONE, colorScheme: 'dark' } as const;
const allOff = async (page: Page) => {
  await page.locator('.button-all').click();
  await page.locator('.question .button-main').click();
};

const PICTURES: readonly Picture[] = [
  { name: 'site-desktop', view: '#/', window: DESKTOP },
  { name: 'site-desktop-dark', view: '#/', window: { ...DESKTOP, colorScheme: 'dark' } },
  { name: 'site-phone', view: '#/', window: PHONE },
  { name: 'site-phone-dark', view: '#/', window: dark },
  { name: 'plug-phone', view: '#/plug/shed3', window: PHONE },
  { name: 'plug-desktop', view: '#/plug/shed3', window: DESKTOP },
  { name: 'problems-phone', view: '#/problems', window: PHONE },
  { name: 'energy-phone', view: '#/energy', window: PHONE },
  { name: 'energy-desktop', view: '#/energy', window: DESKTOP },
  { name: 'journal-phone', view: '#/journal', window: PHONE },
  { name: 'setup-phone', view: '#/setup', window: PHONE },
  {
    name: 'all-off-asks-phone',
    view: '#/',
    window: PHONE,
    before: (page) => page.locator('.button-all').click(),
  },
  {
    name: 'all-off-under-way-phone',
    view: '#/',
    window: PHONE,
    before: async (page) => {
      await allOff(page);
      await page.locator('.receipt-open h2', { hasText: '7 of 9' }).waitFor();
    },
  },
  {
    name: 'all-off-done-phone',
    view: '#/',
    window: PHONE,
    before: async (page) => {
      await allOff(page);
      await page.locator('.receipt-bad').waitFor({ timeout: 20_000 });
    },
  },
];

await build({ logLevel: 'warn' });
mkdirSync(FOLDER, { recursive: true });
const browser = await startBrowser();
const site = await Site.open([]);
for (const [path, alias, loadW, on] of PLUGS) await site.addPlug(path, { alias, loadW, on });
await site.bridge.stop();
await site.startBridge({ web: { listen: '127.0.0.1:0' }, poll: { interval: '200ms', timeout: '1s' } });
await site.observer.json('museum', ({ unknown }) => unknown === 0);
for (const path of DEAD) await site.plug(path).server.stop();
await site.observer.json('museum', ({ unknown }) => unknown === DEAD.length);

for (const { name, view, window, before } of PICTURES) {
  const page = await visit(browser, urlOf(site), window);
  await stage(page.context());
  await show(page, urlOf(site), view);
  await before?.(page);
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled' });
  const { size } = statSync(path);
  if (size > MOST_BYTES) throw new Error(`${name}.png has ${size} bytes`);
  await page.context().close();
}
await browser.close();
await site.close();
