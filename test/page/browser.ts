import { existsSync, readFileSync } from 'node:fs';
import { createServer, request as requestTo, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { Site, type SiteOptions } from '../support/site.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Why the tests in a browser cannot run; `undefined` if they can. */
export const noBrowser = existsSync(CHROMIUM)
  ? undefined
  : `there is no ${CHROMIUM}; Debian has a package of that name`;

const ARGUMENTS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** Starts the browser; it asks nobody but the bridge. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}

export const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true } as const;
export const DESKTOP = { viewport: { width: 1280, height: 800 } } as const;

/** A site whose page is served. */
export async function openSite(paths: readonly string[], options: SiteOptions = {}): Promise<[Site, string]> {
  const site = await Site.open(paths, { web: { listen: '127.0.0.1:0' }, ...options });
  return [site, urlOf(site)];
}

/** Where the page is that the bridge serves now. */
export function urlOf(site: Site): string {
  return String(site.bridge.lines.find(({ msg }) => msg === 'the page is served')?.url);
}

/** A reverse proxy that serves the bridge below a path, and hands on the name by which it was asked. */
export async function proxyBelow(path: string, url: string): Promise<Server> {
  const { hostname, port } = new URL(url);
  const server = createServer((request, response) => {
    const { method, headers, url: asked = '' } = request;
    if (!asked.startsWith(path)) {
      response.writeHead(404).end();
      return;
    }
    const there = { hostname, port, method, headers, path: asked.slice(path.length - 1) };
    const forward = requestTo(there, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    response.on('close', () => forward.destroy());
    forward.on('error', () => response.destroy());
    request.pipe(forward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Opens the page in a browser of its own, so to say: nothing is shared with other visitors. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = PHONE,
): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Amsterdam', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  await page.waitForSelector('h1');
  return page;
}

/** What each view shows only when it has its answers. */
const SHOWN: readonly (readonly [view: RegExp, selector: string])[] = [
  [/^#\/$/, '.row-said'],
  [/^#\/plug\//, '.view-plug:has(.chart > *):has(.panel:has(.bars) + .panel .bars)'],
  [/^#\/problems$/, '.problem'],
  [/^#\/energy$/, '.panel-table'],
  [/^#\/journal$/, '.entry'],
  [/^#\/setup$/, '.found > *'],
  [/^#\/account$/, '.panel'],
];

/** Loads a view of the page anew, and waits until it is whole. */
export async function show(page: Page, url: string, view: string): Promise<void> {
  // A change of the hash alone would load nothing.
  await page.goto('about:blank');
  await page.goto(url + view);
  const [, selector = 'h1'] = SHOWN.find(([pattern]) => pattern.test(view)) ?? [];
  await page.locator(selector).first().waitFor();
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong with the page, each with the first element that it is wrong with. */
export async function violations(page: Page): Promise<readonly string[]> {
  // The policy of the page forbids scripts that are not its own; those of the debugger are not bound by it.
  await page.evaluate(AXE);
  return page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`,
  );
}

/** What sticks out of the window to the right; nothing if the page cannot be moved sideways. */
export function overflow(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .map((element) => element.className + ': ' + element.textContent.slice(0, 40))
      .slice(-3);
  })()`);
}
