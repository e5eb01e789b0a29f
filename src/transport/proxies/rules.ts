/** What is checked of the proxies that are trusted. */
import { isIP } from 'node:net';
import type { Rules } from '../../schema/rules.js';
import type { Network } from './networks.js';

/** Rule of `trusted_proxies`: each is a network, and none is the whole Internet. */
export const checkTrustedProxies: Rules = (list, { report, warn }) => {
  for (const place of list.items()) {
    const text = place.text();
    if (text === undefined || text === 'loopback' || text === 'unix') continue;
    const network = networkOf(text);
    if (network === undefined) {
      report(
        place.path,
        `found ${JSON.stringify(text)} (allowed: an address, a network such as "10.0.0.0/8", "loopback" or "unix")`,
      );
    } else if (network.bits === 0) {
      warn(
        place.path,
        `found ${JSON.stringify(text)}, which is everybody: any client can say that it comes from anywhere, and by https`,
      );
    }
  }
};

/** @param text an address, or a network in the notation of CIDR. @returns undefined for anything else. */
export function networkOf(text: string): Network | undefined {
  const [, address = '', bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const count = bits === undefined ? most : Number(bits);
  return count > most ? undefined : { address, family: version === 4 ? 'ipv4' : 'ipv6', bits: count };
}

/** Rule of `proxy_protocol`: somebody is trusted. */
export const checkProxyProtocol: Rules = ({ path }, { node, report }) => {
  const transport = path.slice(0, -2).reduce((place, key) => place.items()[Number(key)] ?? place.get(key), node);
  const lists = [transport, transport.get('web'), node.get('controller')].map((place) =>
    place.at('options', 'trusted_proxies'),
  );
  const list = lists.find(({ missing }) => !missing);
  if (list !== undefined && list.items().length > 0) return;
  report(
    path,
    'found without a proxy that is trusted, so nobody could connect (allowed: with the proxies in "trusted_proxies" of "controller.options")',
  );
};
