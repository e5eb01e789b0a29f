/**
 * What an application gets of the head of a request: what the client said, and what the node knows of the client. The application sees
 * a server that clients come to by themselves, so there is no proxy in what it is told: `X-Forwarded-For` is the one address that is
 * its `REMOTE_ADDR`, too. Pure.
 */
import { hostNameOf } from '../../http/host-name.js';
import type { WebRequest } from '../../http/service.js';
import { withoutCookies } from '../proxy/cookies.js';
import { forwardedHeaders, mapHeader, requestHeaders } from '../proxy/headers.js';
import { cameBy } from '../proxy/request-head.js';

/** Read by `python/crossbar_ts_host/web.py`, and seen by nobody else. */
const FACTS = 'Crossbar-Ts-Request';

/**
 * @param hiddenCookies names of those that the application must not see.
 * @returns all headers for the host, but those of the framing of a body.
 */
export function applicationHead(request: WebRequest, hiddenCookies: ReadonlySet<string>): string[] {
  const { req, client, mount } = request;
  const came = cameBy(request);
  const own = mapHeader(requestHeaders(req.rawHeaders), FACTS.toLowerCase(), () => undefined);
  const facts = {
    client: [came.client ?? '', client.remotePort ?? 0],
    host: [hostNameOf(came.host).replace(/[[\]]/g, ''), Number(came.port)],
    secure: came.proto === 'https',
    mounted: mount.split('/').filter((part) => part !== '').length,
  };
  return [
    ...(came.host === undefined ? [] : ['Host', came.host]),
    ...mapHeader(own, 'cookie', (value) => withoutCookies(value, hiddenCookies)),
    ...forwardedHeaders({ ...came, peer: came.client, chain: undefined }, false),
    ...[FACTS, JSON.stringify(facts)],
  ];
}
