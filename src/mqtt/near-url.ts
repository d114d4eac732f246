/** Where clients on this machine find a broker that listens there. */
export function nearUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  const near =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `mqtt://${near}:${port}`;
}
