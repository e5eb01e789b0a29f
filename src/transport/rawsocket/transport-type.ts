/** The transport `rawsocket`: RawSocket connections on an endpoint of their own; and RawSocket beside other protocols. */
import { createSessionDeps } from '../../session/deps.js';
import { EndpointServer } from '../endpoint.js';
import { trustedProxiesOf } from '../proxies/trusted-proxies.js';
import { halvesOf } from '../apart/halves.js';
import { livePart } from '../reload/live-acceptor.js';
import { LiveServer } from '../reload/live-server.js';
import { urlOf, wampOffer } from '../transport-type.js';
import { MAGIC } from './handshake.js';
import { RawSocketAcceptor } from './rawsocket.js';
import type { LivePart } from '../reload/live-acceptor.js';
import type { TransportType } from '../transport-type.js';
import type { RawProtocol, RawProtocolDeps } from '../universal/protocol.js';
import type { RawSocketConfig, RawSocketTransportConfig } from './schema.js';

/** RawSocket, where the first octet tells who comes. */
export const rawSocketProtocol: RawProtocol<RawSocketConfig> = {
  type: 'rawsocket',
  scheme: 'rs',
  firstOctet: MAGIC,
  helloTimeoutMs: ({ options }) => options.hello_timeout,
  clients: (config) => config,
  create: liveRawSocket,
};

/** The config word `rawsocket`. */
export const rawSocketTransportType: TransportType<RawSocketTransportConfig> = {
  type: 'rawsocket',
  async create(config, deps) {
    const { id, endpoint } = config;
    const { sharedPorts, proxyTrust, metrics } = deps;
    const log = deps.log.child({ transport: id });
    const shared = sharedPorts?.of(endpoint);
    const part = await liveRawSocket<RawSocketTransportConfig>(config, { ...deps, id, log, shared });
    const trustedProxies = trustedProxiesOf({}, proxyTrust);
    const counts = metrics?.transport(id);
    const server = new EndpointServer(endpoint, part.acceptor, log, { shared, trustedProxies, counts });
    // What several transports share cannot change for one of them.
    if (shared !== undefined) return server;
    return new LiveServer(config, server, (next) => part.prepare(next));
  },
  offer: (config, bound) => ({
    url: urlOf(rawSocketProtocol.scheme, config.endpoint, bound),
    wamp: wampOffer(config),
    paths: [],
  }),
  cookieSections: () => [],
  halves: halvesOf,
};

function liveRawSocket<C extends RawSocketConfig>(
  config: C,
  { id, router, load, drain, families, logins, metrics, log, shared, atFront, behindFronts }: RawProtocolDeps,
): Promise<LivePart<C>> {
  const counts = metrics?.transport(id);
  const { serializers } = families;
  const build = async (current: C) => {
    const parts = { router, log, load, families, logins, counts };
    const own = atFront?.sessionsAt(current) ?? (await createSessionDeps(current, parts));
    const sessions = shared?.share(rawSocketProtocol.type, own) ?? own;
    const entrance = atFront?.entranceAt(current);
    const acceptor = new RawSocketAcceptor(current, { sessions, serializers, log, drain, entrance });
    behindFronts?.offer(current, acceptor.place);
    return { own, acceptor };
  };
  return livePart(config, build, log);
}
