import { request } from 'node:http';

/** What came back. */
export interface Page {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: unknown;
}

/** A client of the page with the cookies of one browser. */
export class Browser {
  readonly #url: string;
  readonly #headers: { readonly [name: string]: string };
  /** As the bridge has set it. */
  cookie: string | undefined;

  constructor(url: string, headers: { readonly [name: string]: string } = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  get(path: string, headers: { readonly [name: string]: string } = {}): Promise<Page> {
    return this.#ask('GET', path, undefined, headers);
  }

  post(path: string, body: unknown = {}, headers: { readonly [name: string]: string } = {}): Promise<Page> {
    return this.#ask('POST', path, body, headers);
  }

  delete(path: string): Promise<Page> {
    return this.#ask('DELETE', path, undefined, {});
  }

  ask(method: string, path: string, body?: unknown): Promise<Page> {
    return this.#ask(method, path, body, {});
  }

  /** Opens the stream of events; resolves with its text as it comes, and how it ended. */
  async listen(lastId?: string): Promise<EventReader> {
    const headers = { ...this.#allHeaders(), ...(lastId === undefined ? {} : { 'last-event-id': lastId }) };
    const stop = new AbortController();
    const response = await fetch(new URL('api/events', this.#url), { headers, signal: stop.signal });
    return new EventReader(response, () => stop.abort());
  }

  #allHeaders(): { [name: string]: string } {
    return { ...this.#headers, ...(this.cookie === undefined ? {} : { cookie: this.cookie }) };
  }

  async #ask(method: string, path: string, body: unknown, headers: { readonly [name: string]: string }) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const type = text === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await new Promise<Page>((resolve, reject) => {
      const asked = request(
        new URL(path, this.#url),
        { method, headers: { ...type, ...this.#allHeaders(), ...headers } },
        (response) => {
          let said = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            said += chunk;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(said) }),
          );
          response.on('error', reject);
        },
      );
      asked.on('error', reject);
      asked.end(text);
    });
    const [set] = answer.headers['set-cookie'] ?? [];
    if (set !== undefined) this.cookie = /=;/.test(set) ? undefined : set.split(';')[0];
    return answer;
  }
}

/** The events of one stream. */
export class EventReader {
  readonly response: Response;
  readonly #stop: () => void;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #heard = '';
  #isOver = false;

  constructor(response: Response, stop: () => void) {
    this.response = response;
    this.#stop = stop;
    this.#reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  }

  /** All that was heard until `what` was in it. Rejects if the stream ends before. */
  async until(what: string): Promise<string> {
    while (!this.#heard.includes(what)) {
      await this.#read();
      if (this.#isOver) throw new Error(`the stream ended before it said ${what}`);
    }
    return this.#heard;
  }

  /** Forgets what was heard so far. */
  forget(): void {
    this.#heard = '';
  }

  /** Resolves when the bridge ends the stream. */
  async ended(): Promise<void> {
    while (!this.#isOver) await this.#read();
  }

  close(): void {
    this.#stop();
  }

  async #read(): Promise<void> {
    try {
      const { value, done } = await this.#reader.read();
      if (done) this.#isOver = true;
      else this.#heard += value;
    } catch {
      this.#isOver = true;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
