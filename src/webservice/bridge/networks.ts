/** Where clients may be: addresses and networks of IPv4 and IPv6, as Python's `ipaddress` reads them. Pure. */
import { BlockList, isIP, isIPv4 } from 'node:net';

/** One network, or one address. */
export interface Network {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefix: number;
}

/**
 * @param text an address, alone, with the length of a prefix or, for IPv4, with a mask. Bits of the host may be set, as in the example of
 *   Crossbar.io (`192.168.1.1/255.255.255.0`), which itself does not start with them.
 * @returns undefined for anything else.
 */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', suffix, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = suffix === undefined ? bits : prefixOf(suffix, bits);
  return prefix === undefined ? undefined : { address, family: version === 4 ? 'ipv4' : 'ipv6', prefix };
}

function prefixOf(suffix: string, bits: number): number | undefined {
  if (/^\d{1,3}$/.test(suffix)) return Number(suffix) <= bits ? Number(suffix) : undefined;
  if (bits !== 32 || !isIPv4(suffix)) return undefined;
  const mask = suffix
    .split('.')
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('');
  // A mask of the network, or one of the host.
  if (/^1*0*$/.test(mask)) return mask.replaceAll('0', '').length;
  return /^0*1*$/.test(mask) ? mask.replaceAll('1', '').length : undefined;
}

/** Judges where clients are. */
export class Networks {
  /** One for each family: to Node.js, `::/0` has all of IPv4, too. */
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() };

  constructor(networks: readonly Network[]) {
    for (const { address, family, prefix } of networks) this.#lists[family].addSubnet(address, prefix, family);
  }

  /** @param address undefined for a client that has none: on a socket of the file system. IPv4 that came in by IPv6 is IPv4. */
  has(address: string | undefined): boolean {
    if (address === undefined) return false;
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    const version = isIP(plain);
    if (version === 0) return false;
    const family = version === 4 ? 'ipv4' : 'ipv6';
    return this.#lists[family].check(plain, family);
  }
}
