import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const SOURCES = fileURLToPath(new URL('../../src/web/page', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/page/index.html', import.meta.url));

/** Before all tests: builds the page that the bridge serves, unless it was built after its sources were last changed. */
export async function setup(): Promise<void> {
  const built = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const changed = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).map(
    (file) => statSync(join(SOURCES, file)).mtimeMs,
  );
  if (Math.max(...changed) > built) await build({ logLevel: 'warn' });
}
