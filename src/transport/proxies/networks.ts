/** Whether addresses are in networks of IPv4 and IPv6. It reads no config: who does gives it networks. */
import { BlockList, isIP, SocketAddress } from 'node:net';

/** A network: the addresses that begin as `address` does. */
export interface Network {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  /** How many bits at the beginning count. */
  readonly bits: number;
}

/** How many bits stand before an IPv4 address in the clothes of IPv6, `::ffff:1.2.3.4`. */
const MAPPED_BITS = 96;

/** Several networks. */
export class Networks {
  /** One for each family: to Node.js, `::/0` and all others of at most 80 bits that begin with zeros have all of IPv4, too. */
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() };

  constructor(networks: readonly Network[]) {
    for (const network of networks) {
      const { address, family, bits } = unmapped(network);
      this.#lists[family].addSubnet(address, bits, family);
    }
  }

  /** @param address undefined for a client that has none: on a socket of the file system. IPv4 that came in by IPv6 is IPv4. */
  has(address: string | undefined): boolean {
    const [plain = ''] = (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '').split('%', 1);
    const version = isIP(plain);
    if (version === 0) return false;
    const family = version === 4 ? 'ipv4' : 'ipv6';
    return this.#lists[family].check(plain, family);
  }
}

/** `::ffff:10.0.0.0/104` is `10.0.0.0/8`. */
function unmapped(network: Network): Network {
  if (network.family === 'ipv4' || network.bits < MAPPED_BITS) return network;
  const { address } = new SocketAddress({ address: network.address, family: 'ipv6' });
  const [, v4] = /^::ffff:(\d+\..*)$/.exec(address) ?? [];
  return v4 === undefined ? network : { address: v4, family: 'ipv4', bits: network.bits - MAPPED_BITS };
}
