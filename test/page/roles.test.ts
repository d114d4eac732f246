import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Site } from '../support/site.ts';
import { DESKTOP, noBrowser, openSite, PHONE, startBrowser, violations, visit } from './browser.ts';

if (noBrowser !== undefined) process.stderr.write(`Nobody logs in to the page: ${noBrowser}.\n`);

const PASSWORD = 'a long enough one';
const dataDir = mkdtempSync(join(tmpdir(), 'hs110-page-'));

describe.skipIf(noBrowser !== undefined)('who logs in to the page', () => {
  let browser: Browser;
  let site: Site;
  let url: string;
  let admin: Page;

  beforeAll(async () => {
    browser = await startBrowser();
    [site, url] = await openSite(['shed1', 'east-wing/lamp-1', 'east-wing/lamp-2'], {
      dataDir,
      web: { listen: '127.0.0.1:0', admin: { password: PASSWORD } },
    });
    await site.observer.json('museum', ({ unknown }) => unknown === 0);
    admin = await visit(browser, url, DESKTOP);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    rmSync(dataDir, { recursive: true });
  });

  const logIn = async (page: Page, name: string, password = PASSWORD) => {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  };
  const member = async (name: string) => {
    const page = await visit(browser, url, PHONE);
    await logIn(page, name);
    await page.getByRole('heading', { level: 1, name: /lamps? / }).waitFor();
    return page;
  };
  const panel = (title: string) =>
    admin.locator('.panel', { has: admin.getByRole('heading', { name: title }) });

  it('sees nothing of the site before, and is told when the password is wrong', async () => {
    expect(await violations(admin)).toEqual([]);
    expect(await admin.locator('.row').count()).toBe(0);
    await logIn(admin, 'admin', 'not this one');
    await admin.getByRole('alert').getByText('The name or the password is wrong.').waitFor();
  });

  it('as admin adds users under Set-up', async () => {
    await logIn(admin, 'admin');
    await admin.getByRole('link', { name: 'Set-up' }).click();
    const users = panel('Users');
    for (const [name, role, places] of [
      ['ben', 'staff', 'east-wing'],
      ['cees', 'viewer', ''],
    ] as const) {
      if (!(await users.getByLabel('Password').isVisible())) await users.locator('summary').click();
      await users.getByLabel('Name').fill(name);
      await users.getByLabel('Password').fill(PASSWORD);
      await users.getByLabel('Role').selectOption(role);
      await users.getByLabel('Places').fill(places);
      await users.getByRole('button', { name: 'Add' }).click();
      await users.locator('.list', { hasText: name }).waitFor();
    }
    expect(await users.locator('.list li').allInnerTexts()).toEqual([
      expect.stringContaining('admin'),
      expect.stringMatching(/ben\s+Staff · east-wing/),
      expect.stringMatching(/cees\s+Viewer/),
    ]);
  });

  it('as staff of a place sees and switches that, and everybody sees who it was', async () => {
    const ben = await member('ben');
    await ben.getByRole('heading', { level: 1, name: 'All 2 lamps are off' }).waitFor();
    expect(await ben.getByRole('link', { name: 'Set-up' }).count()).toBe(0);
    const lamp = ben.locator('.row', { hasText: 'Lamp 2' });
    await lamp.getByRole('button', { name: 'On', exact: true }).click();
    await lamp.locator('[aria-pressed="true"]', { hasText: 'On' }).waitFor();
    await admin.getByRole('link', { name: 'Site', exact: true }).click();
    await admin.locator('.row', { hasText: 'Lamp 2' }).getByText('by ben').waitFor();
    await ben.getByRole('button', { name: 'Switch everything off' }).click();
    await ben.getByRole('alertdialog', { name: /Switch off all 2 plugs/ }).waitFor();
    await ben.context().close();
  });

  it('as viewer has nothing to press, and is in no need of it to see what is on', async () => {
    const cees = await member('cees');
    await cees.locator('.row', { hasText: 'Lamp 1' }).waitFor();
    expect(await cees.locator('.switch, .button-all').count()).toBe(0);
    expect(await cees.locator('.row', { hasText: 'Lamp 2' }).innerText()).toContain('On');
    expect(await violations(cees)).toEqual([]);
    await cees.context().close();
  });

  it('changes the own password, and is asked for the new one', async () => {
    const ben = await member('ben');
    await ben.getByRole('link', { name: 'Account: ben' }).click();
    await ben.getByLabel('Old password').fill(PASSWORD);
    await ben.getByLabel('New password').fill('another long one');
    await ben.getByRole('button', { name: 'Change password' }).click();
    await ben.getByText('The password is changed.').waitFor();
    await ben.getByRole('button', { name: 'Log out' }).click();
    await logIn(ben, 'ben', 'another long one');
    await ben.getByRole('heading', { level: 1, name: /lamp/ }).waitFor();
    await ben.context().close();
  });

  it('as a tablet on the wall comes in by its code, which is then no longer in the address', async () => {
    await admin.getByRole('link', { name: 'Set-up' }).click();
    const tablets = panel('Wall tablets');
    await tablets.locator('summary').click();
    await tablets.getByLabel('Name').fill('Entrance');
    await tablets.getByLabel('Places').fill('east-wing');
    await tablets.getByRole('button', { name: 'Add' }).click();
    await tablets.getByRole('img', { name: /Scan this/ }).waitFor();
    const address = await tablets.locator('code').innerText();
    const tablet = await visit(browser, address, PHONE);
    await tablet.locator('.row', { hasText: 'Lamp 2' }).waitFor();
    expect(tablet.url()).not.toContain('kiosk');
    expect(await tablet.locator('.row', { hasText: 'Lamp 1' }).count()).toBe(0);
    await tablets.getByRole('button', { name: 'Remove Entrance?' }).click();
    await admin.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    await tablet.getByLabel('Password').waitFor({ timeout: 20_000 });
    await tablet.context().close();
  }, 40_000);
});
