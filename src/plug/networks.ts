import { BlockList, isIP } from 'node:net';

/** An IP network: `192.168.1.0/24`. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
}

/** The networks in which plugs may be; without any, all are. */
export class Networks {
  readonly #list: BlockList | undefined;

  constructor(networks: readonly Network[] | undefined) {
    if (networks === undefined) return;
    const list = new BlockList();
    for (const { address, prefix } of networks) list.addSubnet(address, prefix, familyOf(address));
    this.#list = list;
  }

  /** Whether an address is in one of them. A name is no address: what it stands for is. */
  includes(host: string): boolean {
    if (this.#list === undefined || isIP(host) === 0) return true;
    return this.#list.check(host, familyOf(host));
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
