/**
 * From the config of a `universal` transport to its server.
 */
import { EndpointServer } from '../../transport/endpoint.js';
import { trustedProxiesOf } from '../../transport/proxies/trusted-proxies.js';
import { UniversalAcceptor } from '../../transport/universal/acceptor.js';
import { LiveServer } from '../../transport/reload/live-server.js';
import { createLiveWeb } from '../server.js';
import { firstOctetMs, protocolsOf } from './protocols.js';
import type { Acceptor } from '../../transport/endpoint.js';
import type { Logger } from '../../log/logger.js';
import type { LivePart } from '../../transport/reload/live-acceptor.js';
import type { NodeFacts, Prepared } from '../../transport/reload/prepared.js';
import type { RawProtocolDeps, RawProtocol } from '../../transport/universal/protocol.js';
import type { TransportServer } from '../../transport/transport-type.js';
import type { WebConfig, WebServerDeps } from '../server.js';
import type { UniversalTransportConfig } from './schema.js';

/** @throws (rejects) what a protocol throws when it cannot be set up. */
export async function createUniversalServer(
  config: UniversalTransportConfig,
  deps: WebServerDeps,
): Promise<TransportServer> {
  const { id, endpoint } = config;
  const log = deps.log.child({ transport: id });
  const shared = deps.sharedPorts?.of(endpoint);
  const web = createLiveWeb(webPart(config), deps, shared);
  const parts = await createParts(config, { ...deps, id, log, shared });
  const universal = inFrontOf(parts, web.acceptor, config, log);
  const trustedProxies = trustedProxiesOf(config.web.options, deps.proxyTrust);
  const counts = deps.metrics?.transport(id);
  const server = new EndpointServer(endpoint, universal ?? web.acceptor, log, { shared, trustedProxies, counts });
  // What several transports share cannot change for one of them.
  if (shared !== undefined) return server;
  const { cookieNames = new Set(), privatePaths = [] } = deps;
  const rebuild = async (next: UniversalTransportConfig, facts: NodeFacts): Promise<Prepared | undefined> => {
    // Whoever begins with the octet of a protocol that was not there has been given to HTTP.
    if (!hasSameParts(next, parts)) return undefined;
    const prepared = await allOrNone([
      () => web.prepare(webPart(next), facts),
      ...protocolsOf(next).map(
        ({ protocol, section }) =>
          async () =>
            parts.get(protocol)?.prepare(section),
      ),
    ]);
    return {
      commit: () => {
        for (const part of prepared) part.commit();
        universal?.limit(firstOctetMs(next));
        server.trust(trustedProxiesOf(next.web.options, deps.proxyTrust));
      },
      discard: () => discardAll(prepared),
    };
  };
  return new LiveServer<UniversalTransportConfig>(config, server, rebuild, { cookieNames, privatePaths });
}

function webPart({ id, websocket, web }: UniversalTransportConfig): WebConfig {
  return { ...web, id, paths: { ...web.paths, ...websocket } };
}

type Parts = ReadonlyMap<RawProtocol, LivePart<object>>;

async function createParts(config: UniversalTransportConfig, deps: RawProtocolDeps): Promise<Parts> {
  const parts = new Map<RawProtocol, LivePart<object>>();
  try {
    for (const { protocol, section } of protocolsOf(config)) {
      parts.set(protocol, await protocol.create(section, deps));
    }
  } catch (error) {
    for (const { acceptor } of parts.values()) await acceptor.stop();
    throw error;
  }
  return parts;
}

/** @returns undefined where there is nothing but HTTP, so that nobody looks at first octets. */
function inFrontOf(
  parts: Parts,
  http: Acceptor,
  config: UniversalTransportConfig,
  log: Logger,
): UniversalAcceptor | undefined {
  if (parts.size === 0) return undefined;
  const byOctet = new Map([...parts].map(([{ firstOctet }, { acceptor }]) => [firstOctet, acceptor]));
  return new UniversalAcceptor({ byOctet, http, timeoutMs: firstOctetMs(config), log });
}

function hasSameParts(next: UniversalTransportConfig, parts: Parts): boolean {
  const there = protocolsOf(next);
  return there.length === parts.size && there.every(({ protocol }) => parts.has(protocol));
}

/** @throws (rejects) what one of them throws; what the others have prepared is discarded then. */
async function allOrNone(steps: readonly (() => Promise<Prepared | undefined>)[]): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  try {
    for (const prepare of steps) {
      const part = await prepare();
      if (part !== undefined) prepared.push(part);
    }
  } catch (error) {
    await discardAll(prepared);
    throw error;
  }
  return prepared;
}

async function discardAll(prepared: readonly Prepared[]): Promise<void> {
  await Promise.all(prepared.map((part) => part.discard()));
}
