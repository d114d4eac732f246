import { BlockList, isIPv6 } from 'node:net';

/** Where the supervisor of Home Assistant asks from, for its ingress. */
const INGRESS_ADDRESS = '172.30.32.2';

/** Where proxies are: an address and the bits of it that count. */
export interface ProxyNetwork {
  readonly address: string;
  readonly prefix: number;
}

/** Which of those that connect to the page pass on what others ask. */
export class Proxies {
  readonly #trusted = new BlockList();

  constructor(trusted: readonly ProxyNetwork[]) {
    for (const { address, prefix } of trusted) this.#trusted.addSubnet(address, prefix, familyOf(address));
  }

  /** Whether what that address says of who asks is believed. */
  isTrusted(address: string | undefined): boolean {
    const plain = plainAddress(address);
    return plain !== '' && this.#trusted.check(plain, familyOf(plain));
  }
}

/** Whether it is the ingress of Home Assistant that connects. */
export function isIngress(address: string | undefined): boolean {
  return plainAddress(address) === INGRESS_ADDRESS;
}

/** An IPv4 address that comes in over IPv6 is still one. */
function plainAddress(address = ''): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
