/** The transport `rawsocket`: RawSocket connections on an endpoint of their own. */
import { createSessionDeps } from '../../session/deps.js';
import { EndpointServer } from '../endpoint.js';
import { trustedProxiesOf } from '../proxies/trusted-proxies.js';
import { LiveServer } from '../reload/live-server.js';
import { urlOf, wampOffer } from '../transport-type.js';
import { RawSocketAcceptor } from './rawsocket.js';
import type { RawSocketConfig, RawSocketTransportConfig } from './schema.js';
import type { TransportType } from '../transport-type.js';

/** As {@link urlOf} takes it. */
export const RAWSOCKET_SCHEME = 'rs';

/** The config word `rawsocket`. */
export const rawSocketTransportType: TransportType<RawSocketTransportConfig> = {
  type: 'rawsocket',
  async create(config, { router, load, drain, families, logins, sharedPorts, proxyTrust, metrics, log: parent }) {
    const log = parent.child({ transport: config.id });
    const counts = metrics?.transport(config.id);
    const shared = sharedPorts?.of(config.endpoint);
    const { serializers } = families;
    const build = async (current: RawSocketConfig) => {
      const own = await createSessionDeps(current, { router, log, load, families, logins, counts });
      const sessions = shared?.share(config.type, own) ?? own;
      return { own, acceptor: new RawSocketAcceptor(current, { sessions, serializers, log, drain }) };
    };
    let running = await build(config);
    const trustedProxies = trustedProxiesOf({}, proxyTrust);
    const server = new EndpointServer(config.endpoint, running.acceptor, log, { shared, trustedProxies, counts });
    // What several transports share cannot change for one of them.
    if (shared !== undefined) return server;
    return new LiveServer<RawSocketTransportConfig>(config, server, async (next) => {
      const built = await build(next);
      return {
        commit: () => {
          const { own, acceptor } = running;
          running = built;
          own.follow(built.own);
          server.hand(built.acceptor, () => acceptor.retire(built.acceptor));
        },
        discard: () => built.acceptor.stop(),
      };
    });
  },
  offer: (config, bound) => ({
    url: urlOf(RAWSOCKET_SCHEME, config.endpoint, bound),
    wamp: wampOffer(config),
    paths: [],
  }),
  cookieSections: () => [],
};
