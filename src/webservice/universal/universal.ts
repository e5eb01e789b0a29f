/**
 * From the config of a `universal` transport to its server.
 */
import { createSessionDeps } from '../../session/deps.js';
import { EndpointServer } from '../../transport/endpoint.js';
import { trustedProxiesOf } from '../../transport/proxies/trusted-proxies.js';
import { RawSocketAcceptor } from '../../transport/rawsocket/rawsocket.js';
import { UniversalAcceptor } from '../../transport/universal.js';
import { createWebAcceptor } from '../server.js';
import type { Acceptor } from '../../transport/endpoint.js';
import type { SharedPort } from '../../transport/shared-port.js';
import type { WebServerDeps } from '../server.js';
import type { UniversalTransportConfig } from './schema.js';

/** @throws what the authentication of its RawSockets throws when it cannot be set up. */
export async function createUniversalServer(
  config: UniversalTransportConfig,
  deps: WebServerDeps,
): Promise<EndpointServer> {
  const log = deps.log.child({ transport: config.id });
  const shared = deps.sharedPorts?.of(config.endpoint);
  const trustedProxies = trustedProxiesOf(config.web.options, deps.proxyTrust);
  const acceptor = await createAcceptor(config, deps, shared);
  const counts = deps.metrics?.transport(config.id);
  return new EndpointServer(config.endpoint, acceptor, log, { shared, trustedProxies, counts });
}

async function createAcceptor(
  config: UniversalTransportConfig,
  deps: WebServerDeps,
  shared: SharedPort | undefined,
): Promise<Acceptor> {
  const { id, rawsocket, websocket, web } = config;
  const http = createWebAcceptor({ ...web, id, paths: { ...web.paths, ...websocket } }, deps, shared);
  if (rawsocket === undefined) return http;
  const log = deps.log.child({ transport: id });
  const { router, load, families, logins, drain, metrics } = deps;
  const counts = metrics?.transport(id);
  const own = await createSessionDeps(rawsocket, { router, load, log, families, logins, counts });
  const sessions = shared?.share('rawsocket', own) ?? own;
  const raw = new RawSocketAcceptor(rawsocket, { sessions, serializers: families.serializers, log, drain });
  return new UniversalAcceptor({ rawsocket: raw, http, timeoutMs: rawsocket.options.hello_timeout, log });
}
