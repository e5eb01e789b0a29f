/** Where clients may be: addresses and networks of IPv4 and IPv6, as Python's `ipaddress` reads them. Pure. */
import { isIP, isIPv4 } from 'node:net';
import type { Network } from '../../transport/proxies/networks.js';

/**
 * @param text an address, alone, with the length of a prefix or, for IPv4, with a mask. Bits of the host may be set, as in the example of
 *   Crossbar.io (`192.168.1.1/255.255.255.0`), which itself does not start with them.
 * @returns undefined for anything else.
 */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', suffix, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const bits = suffix === undefined ? most : prefixOf(suffix, most);
  return bits === undefined ? undefined : { address, family: version === 4 ? 'ipv4' : 'ipv6', bits };
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
