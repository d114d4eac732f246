import process from 'node:process';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import type { Site } from '../support/site.ts';
import { DESKTOP, noBrowser, openSite, proxyBelow, startBrowser, violations, visit } from './browser.ts';

const PATHS = [
  'shed1',
  'shed2',
  'barn/loft',
  'barn/silent',
  'barn/workshop',
  'barn/dead',
  'east-wing/lamp-1',
];
const DEAD = ['barn/silent', 'barn/dead'];

if (noBrowser !== undefined)
  process.stderr.write(`The tests of the page in a browser are skipped: ${noBrowser}.\n`);

describe.skipIf(noBrowser !== undefined)('the page in a browser', () => {
  let browser: Browser;
  let site: Site;
  let url: string;
  let page: Page;

  beforeAll(async () => {
    browser = await startBrowser();
    const listen = `127.0.0.1:${await freePort()}`;
    [site, url] = await openSite(PATHS, { web: { listen } });
    for (const path of DEAD) await site.plug(path).server.stop();
    await site.observer.json('museum', ({ unknown, off }) => unknown === 2 && off === 5);
    page = await visit(browser, url);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  const row = (name: string, on = page) => on.locator('.row', { hasText: name }).first();
  const press = (name: string, word: 'On' | 'Off', on = page) =>
    row(name, on).getByRole('button', { name: word, exact: true }).click();
  const isPressed = (name: string, word: 'On' | 'Off', on = page) =>
    row(name, on).locator(`button[aria-pressed="true"]`, { hasText: word }).waitFor();

  it('says in one sentence what is on, and names what does not answer', async () => {
    await page.getByRole('heading', { level: 1, name: '5 of 7 lamps are off' }).waitFor();
    expect(await page.locator('.notice').innerText()).toContain('2 plugs do not answer');
    expect(await row('Lamp 4').innerText()).toMatch(/No answer/);
    expect(await row('Lamp 4').locator('[aria-pressed="true"]').count()).toBe(0);
  });

  it('switches a lamp at one press, and marks as so what the plug said', async () => {
    await press('Lamp 1', 'On');
    await isPressed('Lamp 1', 'On');
    expect(site.plug('shed1').device.relay).toBe(true);
    await page.getByRole('heading', { level: 1, name: '1 lamp is on' }).waitFor();
    await press('Lamp 1', 'On');
    await press('Lamp 1', 'Off');
    await isPressed('Lamp 1', 'Off');
    expect(site.plug('shed1').device.relay).toBe(false);
  });

  it('shows within a second what a second browser, a schedule or a hand at the plug did', async () => {
    const other = await visit(browser, url, DESKTOP);
    await press('Lamp 2', 'On', other);
    await isPressed('Lamp 2', 'On');
    await other.context().close();
    site.plug('east-wing/lamp-1').device.press();
    await isPressed('Lamp 7', 'On');
    await row('Lamp 7').getByText('at the plug').waitFor();
    expect(await row('Lamp 2').innerText()).toContain('from this page');
  });

  it('asks before a place is switched on, with the focus on Cancel', async () => {
    await row('Barn').getByRole('button', { name: 'On', exact: true }).click();
    const question = page.getByRole('alertdialog', { name: 'Switch on all 4 plugs of Barn?' });
    await question.waitFor();
    expect(await page.locator(':focus').innerText()).toBe('Cancel');
    await page.keyboard.press('Enter');
    await question.waitFor({ state: 'detached' });
    expect(site.plug('barn/loft').device.relay).toBe(false);
  });

  it('keeps the keyboard within the question, and takes Escape for Cancel', async () => {
    await page.getByRole('button', { name: 'Switch everything off' }).click();
    await page.getByRole('alertdialog', { name: 'Switch off all 7 plugs of Museum?' }).waitFor();
    for (let count = 0; count < 5; count++) await page.keyboard.press('Tab');
    expect(await page.locator('.question :focus').count()).toBe(1);
    await page.keyboard.press('Escape');
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toBe('Switch everything off');
  });

  it('ends ALL OFF with a receipt that counts, and names the two that did not confirm', async () => {
    await page.getByRole('button', { name: 'Switch everything off' }).click();
    const question = page.getByRole('alertdialog');
    await question.getByRole('button', { name: 'Switch everything off' }).click();
    await page.getByRole('heading', { level: 2, name: '5 of 7 are off' }).waitFor();
    const receipt = page.locator('.receipt-bad');
    await receipt.waitFor({ timeout: 20_000 });
    expect(await receipt.locator('li').allInnerTexts()).toEqual([
      expect.stringContaining('Lamp 4'),
      expect.stringContaining('Lamp 6'),
    ]);
    expect(await page.getByRole('alert').allInnerTexts()).toContain('Museum: 5 of 7 are off');
    expect(await violations(page)).toEqual([]);
  }, 40_000);

  it('tries only those again, and has one receipt for them', async () => {
    await site.plug('barn/silent').server.start();
    await page.getByRole('button', { name: 'Try these 2 again' }).click();
    const receipt = page.locator('.receipt-bad');
    await receipt.locator('h2', { hasText: '1 of 2 are off' }).waitFor({ timeout: 20_000 });
    expect(await receipt.locator('li').allInnerTexts()).toEqual([expect.stringContaining('Lamp 6')]);
    await receipt.getByRole('button', { name: 'OK' }).click();
    expect(await page.locator('.receipt').count()).toBe(0);
  }, 40_000);

  it('says how old it is while the bridge is away, and is right again when that is back', async () => {
    await site.bridge.stop();
    await page.getByText(/No connection. This is how it was at/).waitFor();
    site.plug('shed2').device.press();
    await site.startBridge();
    await page.getByText(/No connection/).waitFor({ state: 'detached', timeout: 15_000 });
    await isPressed('Lamp 2', 'On');
  }, 40_000);

  it('sends OFF when it has no connection, as soon as there is one', async () => {
    await page.context().setOffline(true);
    await press('Lamp 2', 'Off');
    await page.getByText('Asked to switch off').waitFor();
    expect(site.plug('shed2').device.relay).toBe(true);
    await page.context().setOffline(false);
    await isPressed('Lamp 2', 'Off');
    expect(site.plug('shed2').device.relay).toBe(false);
  }, 40_000);

  it('works below a path behind a proxy, with nothing asked for outside of it', async () => {
    const proxy = await proxyBelow('/museum/page/', url);
    const address = proxy.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const below = await visit(browser, `http://127.0.0.1:${port}/museum/page/`, DESKTOP);
    const missed: string[] = [];
    below.on('response', (response) => {
      if (!new URL(response.url()).pathname.startsWith('/museum/page/')) missed.push(response.url());
    });
    await below.reload();
    await press('Lamp 1', 'On', below);
    await isPressed('Lamp 1', 'On', below);
    await isPressed('Lamp 1', 'On');
    await below.getByRole('link', { name: 'Lamp 7' }).click();
    await below.getByRole('heading', { level: 1, name: 'Lamp 7' }).waitFor();
    expect(missed).toEqual([]);
    await below.context().close();
    proxy.closeAllConnections();
    proxy.close();
  });

  it('goes to a plug and back by links, which a reload keeps', async () => {
    await page.getByRole('link', { name: 'Lamp 7' }).click();
    await page.getByRole('heading', { level: 1, name: 'Lamp 7' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Lamp 7' }).waitFor();
    await page.getByRole('link', { name: 'East wing' }).click();
    await page.getByRole('heading', { level: 1, name: /lamp/ }).waitFor();
  });
});
