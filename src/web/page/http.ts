import { browserClock, within } from './clock.ts';

/** The bridge refused or could not answer; `status` is 0 where it could not be reached at all. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds after which it may be tried again, where the bridge says so. */
  readonly retryAfter: number | null;

  constructor(status: number, code: string, message: string, retryAfter: number | null = null) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const TIMEOUT_MS = 10_000;

type Method = 'GET' | 'POST' | 'DELETE';

/** Asks the bridge; `path` is relative to the page, as `api/session`. Rejects with an HttpError. */
export async function ask<T>(
  method: Method,
  path: string,
  body?: unknown,
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const unreachable = () => new HttpError(0, 'unreachable', 'the bridge cannot be reached');
  const asked = fetch(path, {
    method,
    credentials: 'same-origin',
    ...(method === 'GET'
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
  });
  let response: Response;
  let text: string;
  try {
    response = await within(browserClock, timeoutMs, asked, unreachable);
    text = await within(browserClock, timeoutMs, response.text(), unreachable);
  } catch {
    throw unreachable();
  }
  const answer = parsed(text);
  if (response.ok) return answer as T;
  throw errorOf(response, answer);
}

/** The path with its query; what is `null` or empty is left out. */
export function withQuery(path: string, query: { readonly [name: string]: string | number | null }): string {
  const pairs: string[] = [];
  for (const name of Object.keys(query)) {
    const value = query[name];
    if (value === null || value === undefined || value === '') continue;
    pairs.push(`${name}=${encodeURIComponent(String(value))}`);
  }
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function errorOf(response: Response, answer: unknown): HttpError {
  const { code, message } = (answer as { error?: { code?: string; message?: string } } | null)?.error ?? {};
  const retryAfter = Number(response.headers.get('retry-after'));
  return new HttpError(
    response.status,
    code ?? `http-${response.status}`,
    message ?? response.statusText,
    retryAfter > 0 ? retryAfter : null,
  );
}
