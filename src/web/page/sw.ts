/**
 * The service worker, which browsers allow over HTTPS only: it keeps the page itself, so that it opens without a
 * network and can say that the bridge is out of reach. Nothing of the API is ever kept.
 */
export {};

interface FetchHappening extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface Lasting extends Event {
  waitUntil(done: Promise<unknown>): void;
}

interface WorkerScope {
  readonly location: { readonly search: string };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchHappening) => void): void;
}

declare const self: WorkerScope;

/** Each build of the page registers its worker by a query of its own, and has a cache of its own. */
const CACHE = `page${self.location.search}`;

self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()));

self.addEventListener('activate', (event) => event.waitUntil(forgetOthers()));

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || new URL(request.url).pathname.indexOf('/api/') !== -1) return;
  event.respondWith(freshOrKept(request));
});

/** What the network answers, else what it answered last. */
async function freshOrKept(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request);
    if (kept === undefined) throw error;
    return kept;
  }
}
