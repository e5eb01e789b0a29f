/** What a backend gets of the head of a request: what the client said, without what only we may say, and what we say. */
import { shownAddress, isSecure, placeOf } from '../../transport/peer.js';
import type { WebUpgrade } from '../../http/service.js';
import { withoutCookies } from './cookies.js';
import { forwardedHeaders, mapHeader, requestHeaders } from './headers.js';
import type { Came } from './headers.js';

export interface HeadOptions {
  /** What the backend is asked for as its host. */
  readonly authority: string;
  /** The cookies that the backend must not see. */
  readonly hiddenCookies: ReadonlySet<string>;
  readonly port?: number | undefined;
  readonly proto?: 'http' | 'https' | undefined;
  /** Also `Forwarded`. */
  readonly forwarded: boolean;
}

/** @returns all headers for the backend, but those of the framing of a body or of an upgrade. */
export function requestHead(request: WebUpgrade, options: HeadOptions): string[] {
  const { authority, hiddenCookies, forwarded } = options;
  const own = requestHeaders(request.req.rawHeaders);
  const passed =
    hiddenCookies.size === 0 ? own : mapHeader(own, 'cookie', (value) => withoutCookies(value, hiddenCookies));
  return ['Host', authority, ...passed, ...forwardedHeaders(cameBy(request, options), forwarded)];
}

/** @returns where the client of a request is, and how it came here, as far as nothing else is said. */
export function cameBy({ req, client }: WebUpgrade, options: Pick<HeadOptions, 'port' | 'proto'> = {}): Came {
  const { socket, headers } = req;
  const { host } = headers;
  const from = placeOf(socket);
  // By the PROXY protocol alone the client itself has sent the headers.
  const isProxied = client.via !== undefined && client !== from;
  const peer = from.remoteAddress === undefined ? undefined : shownAddress(from.remoteAddress);
  const address = client.remoteAddress === undefined ? undefined : shownAddress(client.remoteAddress);
  const said = isProxied ? (listOf(headers['x-forwarded-for']) ?? (address === peer ? undefined : address)) : undefined;
  const proto = options.proto ?? (isSecure(req) ? 'https' : 'http');
  const port = options.port ?? (isProxied ? portIn(host) : socket.localPort) ?? (proto === 'https' ? 443 : 80);
  return { peer, client: address, chain: said, host, port: String(port), proto };
}

function listOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header.join(', ') : header;
}

function portIn(host = ''): string | undefined {
  return /:(\d{1,5})$/.exec(host.replace(/^\[[^\]]*\]/, ''))?.[1];
}
