/**
 * From the config of a `universal` transport to its server.
 */
import { createSessionDeps } from '../../session/deps.js';
import { EndpointServer } from '../../transport/endpoint.js';
import { trustedProxiesOf } from '../../transport/proxies/trusted-proxies.js';
import { RawSocketAcceptor } from '../../transport/rawsocket/rawsocket.js';
import { UniversalAcceptor } from '../../transport/universal.js';
import { LiveServer } from '../../transport/reload/live-server.js';
import { createLiveWeb } from '../server.js';
import type { HttpAcceptor } from '../../http/acceptor.js';
import type { RawSocketConfig } from '../../transport/rawsocket/schema.js';
import type { NodeFacts, Prepared } from '../../transport/reload/prepared.js';
import type { SharedPort } from '../../transport/shared-port.js';
import type { TransportServer } from '../../transport/transport-type.js';
import type { WebConfig, WebServerDeps } from '../server.js';
import type { UniversalTransportConfig } from './schema.js';

/** @throws what the authentication of its RawSockets throws when it cannot be set up. */
export async function createUniversalServer(
  config: UniversalTransportConfig,
  deps: WebServerDeps,
): Promise<TransportServer> {
  const log = deps.log.child({ transport: config.id });
  const shared = deps.sharedPorts?.of(config.endpoint);
  const web = createLiveWeb(webPart(config), deps, shared);
  const raw = await createRaw(config, web.acceptor, { ...deps, log }, shared);
  const trustedProxies = trustedProxiesOf(config.web.options, deps.proxyTrust);
  const counts = deps.metrics?.transport(config.id);
  const server = new EndpointServer(config.endpoint, raw?.acceptor ?? web.acceptor, log, {
    shared,
    trustedProxies,
    counts,
  });
  if (shared !== undefined) return server;
  const { cookieNames = new Set(), privatePaths = [] } = deps;
  const rebuild = async (next: UniversalTransportConfig, facts: NodeFacts): Promise<Prepared | undefined> => {
    // Without RawSockets nobody looks at the first octet.
    if ((next.rawsocket === undefined) !== (raw === undefined)) return undefined;
    const prepared = [await web.prepare(webPart(next), facts)];
    try {
      if (raw !== undefined && next.rawsocket !== undefined) prepared.push(await raw.prepare(next.rawsocket));
    } catch (error) {
      for (const part of prepared) await part.discard();
      throw error;
    }
    return {
      commit: () => {
        for (const part of prepared) part.commit();
        server.trust(trustedProxiesOf(next.web.options, deps.proxyTrust));
      },
      discard: async () => {
        await Promise.all(prepared.map((part) => part.discard()));
      },
    };
  };
  return new LiveServer<UniversalTransportConfig>(config, server, rebuild, { cookieNames, privatePaths });
}

function webPart({ id, websocket, web }: UniversalTransportConfig): WebConfig {
  return { ...web, id, paths: { ...web.paths, ...websocket } };
}

async function createRaw(
  { id, rawsocket: config }: UniversalTransportConfig,
  http: HttpAcceptor,
  { router, load, families, logins, drain, log, metrics }: WebServerDeps,
  shared: SharedPort | undefined,
) {
  if (config === undefined) return undefined;
  const counts = metrics?.transport(id);
  const build = async (current: RawSocketConfig) => {
    const own = await createSessionDeps(current, { router, load, log, families, logins, counts });
    const sessions = shared?.share('rawsocket', own) ?? own;
    return {
      config: current,
      own,
      acceptor: new RawSocketAcceptor(current, { sessions, serializers: families.serializers, log, drain }),
    };
  };
  let running = await build(config);
  const acceptor = new UniversalAcceptor({
    rawsocket: running.acceptor,
    http,
    timeoutMs: config.options.hello_timeout,
    log,
  });
  const prepare = async (next: RawSocketConfig): Promise<Prepared> => {
    if (next === running.config) return UNCHANGED;
    const built = await build(next);
    return {
      commit: () => {
        const { own, acceptor: old } = running;
        running = built;
        own.follow(built.own);
        acceptor.hand(built.acceptor, old.retire(built.acceptor), next.options.hello_timeout);
      },
      discard: () => built.acceptor.stop(),
    };
  };
  return { acceptor, prepare };
}

const UNCHANGED: Prepared = { commit: () => undefined, discard: () => Promise.resolve() };
