/** The transport `rawsocket`: RawSocket connections on an endpoint of their own. */
import { createSessionDeps } from '../../session/deps.js';
import { EndpointServer } from '../endpoint.js';
import { trustedProxiesOf } from '../proxies/trusted-proxies.js';
import { urlOf, wampOffer } from '../transport-type.js';
import { RawSocketAcceptor } from './rawsocket.js';
import type { RawSocketTransportConfig } from './schema.js';
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
    const own = await createSessionDeps(config, { router, log, load, families, logins, counts });
    const sessions = shared?.share(config.type, own) ?? own;
    const { serializers } = families;
    const acceptor = new RawSocketAcceptor(config, { sessions, serializers, log, drain });
    const trustedProxies = trustedProxiesOf({}, proxyTrust);
    return new EndpointServer(config.endpoint, acceptor, log, { shared, trustedProxies, counts });
  },
  offer: (config, bound) => ({
    url: urlOf(RAWSOCKET_SCHEME, config.endpoint, bound),
    wamp: wampOffer(config),
    paths: [],
  }),
  cookieSections: () => [],
};
