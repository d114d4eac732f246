import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { LookupFunction } from 'node:net';
import { PlugError } from '../errors.ts';
import { MAX_BODY_BYTES } from '../protocol/frame.ts';
import { nameOf, socketError } from './socket-errors.ts';
import type { Address } from './transport.ts';

export interface HttpMessage {
  readonly path: string;
  readonly body: Buffer;
  readonly cookie: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

/** More than any plug sends; the rest of the memory is for answers. */
const MAX_HEADER_BYTES = 4096;

/** Asks the HTTP server of one plug, one question at a time, on a connection that is kept as long as both sides do. */
export class HttpClient {
  readonly #lookup: LookupFunction | undefined;
  /** Until a kept connection turns out to be gone: a plug that ends each of them is connected to anew each time. */
  #keepAlive = true;
  #agent: Agent;
  #request: ClientRequest | undefined;

  /** `lookup` resolves host names. */
  constructor(lookup: LookupFunction | undefined) {
    this.#lookup = lookup;
    this.#agent = this.#newAgent();
  }

  /**
   * Posts; rejects with a PlugError: `bad-answer` where what came back is no HTTP, `closed` where a kept connection
   * turned out to be gone. With `again` it is then posted once more on a new one.
   */
  async post(address: Address, message: HttpMessage, again: boolean): Promise<HttpAnswer> {
    try {
      return await this.#post(address, message);
    } catch (error) {
      if (!(error instanceof ConnectionGone)) throw error;
      this.#keepAlive = false;
      this.#renewAgent();
      if (!again) throw error;
    }
    return await this.#post(address, message);
  }

  /** Cuts the connection; a question in flight is rejected. */
  close(): void {
    const sent = this.#request;
    this.#request = undefined;
    // After an ordinary close the kernel goes on sending what the plug has not acknowledged.
    if (sent?.socket?.connecting === false) sent.socket.resetAndDestroy();
    sent?.destroy();
    this.#renewAgent();
  }

  async #post(address: Address, { path, body, cookie }: HttpMessage): Promise<HttpAnswer> {
    const sent = request({
      agent: this.#agent,
      host: address.host,
      port: address.port,
      method: 'POST',
      path,
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Length': body.length,
        ...(cookie === undefined ? {} : { Cookie: cookie }),
      },
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(this.#lookup === undefined ? {} : { lookup: this.#lookup }),
    });
    this.#request = sent;
    sent.end(body);
    try {
      return await gather(await responseTo(sent, address), address);
    } finally {
      if (this.#request === sent) this.#request = undefined;
    }
  }

  #renewAgent(): void {
    this.#agent.destroy();
    this.#agent = this.#newAgent();
  }

  #newAgent(): Agent {
    return new Agent({ keepAlive: this.#keepAlive, maxSockets: 1 });
  }
}

/** The connection was kept from an earlier question, and had ended by the time of this one. */
class ConnectionGone extends PlugError {}

function responseTo(sent: ClientRequest, address: Address): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', (error: NodeJS.ErrnoException) => reject(explained(error, sent, address)));
  });
}

async function gather(response: IncomingMessage, address: Address): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) {
        response.destroy();
        throw new PlugError('bad-answer', `${nameOf(address)} sends more than ${MAX_BODY_BYTES} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof PlugError) throw error;
    throw new PlugError('closed', `${nameOf(address)} closed the connection without a whole answer`, {
      cause: error,
    });
  }
  return {
    status: response.statusCode ?? 0,
    cookies: response.headers['set-cookie'] ?? [],
    body: Buffer.concat(chunks),
  };
}

function explained(error: NodeJS.ErrnoException, sent: ClientRequest, address: Address): PlugError {
  const plug = nameOf(address);
  if (error.code?.startsWith('HPE_'))
    return new PlugError('bad-answer', `${plug} answers with what is no HTTP`, { cause: error });
  // Node calls a connection that ends without an answer reset, however it ended.
  if (sent.reusedSocket && error.code === 'ECONNRESET')
    return new ConnectionGone('closed', `${plug} had closed the connection`, { cause: error });
  return socketError(error, plug);
}
