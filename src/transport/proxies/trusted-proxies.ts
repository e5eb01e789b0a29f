/**
 * Which peers are proxies whose word counts, and what they are asked for. Made once for each server; it reads no headers.
 */
import { SocketAddress, isIP } from 'node:net';
import { Networks } from './networks.js';
import { networkOf } from './rules.js';
import type { ProxyTrustConfig } from './schema.js';

/** The end of a connection that asks, as its socket tells. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly destroyed?: boolean;
}

const LOOPBACK = ['127.0.0.0/8', '::1'];

/** The proxies of one server. */
export class TrustedProxies {
  readonly trustsHost: boolean;
  /** What they write. */
  readonly headers: ReadonlySet<'x-forwarded' | 'forwarded'>;
  readonly #networks: Networks;
  readonly #isUnixTrusted: boolean;
  /** The peer that was asked for last: a proxy asks again and again. */
  #last = { address: '', isTrusted: false };

  constructor({
    trusted_proxies = [],
    trust_host = false,
    proxy_headers = ['x-forwarded', 'forwarded'],
  }: ProxyTrustConfig) {
    this.trustsHost = trust_host;
    this.headers = new Set(proxy_headers);
    this.#isUnixTrusted = trusted_proxies.includes('unix');
    const words = trusted_proxies.flatMap((word) => (word === 'loopback' ? LOOPBACK : [word]));
    this.#networks = new Networks(words.flatMap((word) => networkOf(word) ?? []));
  }

  /** Whether the other end of a connection is one of them. */
  hasPeer({ remoteAddress, localAddress, destroyed = false }: Peer): boolean {
    if (remoteAddress !== undefined) {
      if (remoteAddress !== this.#last.address) {
        this.#last = { address: remoteAddress, isTrusted: this.hasAddress(remoteAddress) };
      }
      return this.#last.isTrusted;
    }
    // A TCP connection that was reset has no address of the other end any more, but one of ours.
    return this.#isUnixTrusted && localAddress === undefined && !destroyed;
  }

  /** @param address as {@link plainAddress} writes it, or as the system does. */
  hasAddress(address: string): boolean {
    return this.#networks.has(address);
  }
}

/** @returns the proxies of a transport; undefined where none is trusted. @param node what `controller.options` says. */
export function trustedProxiesOf(
  transport: ProxyTrustConfig = {},
  node: ProxyTrustConfig = {},
): TrustedProxies | undefined {
  const keys = { ...node, ...withoutUndefined(transport) };
  return (keys.trusted_proxies ?? []).length === 0 ? undefined : new TrustedProxies(keys);
}

function withoutUndefined({ trusted_proxies, trust_host, proxy_headers }: ProxyTrustConfig): ProxyTrustConfig {
  return {
    ...(trusted_proxies !== undefined && { trusted_proxies }),
    ...(trust_host !== undefined && { trust_host }),
    ...(proxy_headers !== undefined && { proxy_headers }),
  };
}

/**
 * @returns an address as the system writes it, so that each has one form; IPv4 in the clothes of IPv6 is IPv4. Undefined for
 *   anything else, and for an address with a zone, which means nothing on another machine.
 */
export function plainAddress(text: string): string | undefined {
  const version = text.includes('%') ? 0 : isIP(text);
  if (version !== 6) return version === 4 ? text : undefined;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
