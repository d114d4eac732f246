import type { FastifyReply, FastifyRequest } from 'fastify';
import { COOKIE, SESSION_MS } from './identify.ts';
import { isIngress } from './proxies.ts';

/** Gives the browser what it is to hold of its session. */
export function setCookie(request: FastifyRequest, reply: FastifyReply, secret: string): void {
  reply.setCookie(COOKIE, secret, { ...attributesOf(request), maxAge: SESSION_MS / 1000 });
}

/** Takes it away. */
export function clearCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(COOKIE, attributesOf(request));
}

function attributesOf(request: FastifyRequest) {
  return {
    path: prefixOf(request),
    httpOnly: true,
    sameSite: 'strict',
    secure: request.protocol === 'https',
  } as const;
}

/** Where a proxy serves the page below a path of its own, the cookie is for that alone. */
function prefixOf({ headers, socket, ips = [] }: FastifyRequest): string {
  const isProxied = ips.length > 1;
  const prefix = isIngress(socket.remoteAddress)
    ? headers['x-ingress-path']
    : isProxied
      ? headers['x-forwarded-prefix']
      : undefined;
  return typeof prefix === 'string' && /^(\/[\w.~-]+)+\/?$/.test(prefix) ? prefix : '/';
}
