/** What is checked of the transports that connect. */
import type { Place, Rules } from '../schema/rules.js';

/** Rule of `websocket`: the URL is one, and says the same of TLS as the endpoint. */
export const checkWebSocketUrl: Rules = (transport, { report, warn }) => {
  const place = transport.get('url');
  const url = urlOf(place);
  if (url === undefined) {
    if (/^wss?:\/\//.test(place.text() ?? '')) report(place.path, `found ${quoted(place)}, which is no URL`);
    return;
  }
  if (url.hash !== '') report(place.path, `found ${quoted(place)} (allowed: a URL without "#...")`);
  warnOfTls(transport, url.protocol === 'wss:', warn);
};

/** Rule of `rawsocket`: it says where to connect. */
export const checkRawSocketUrl: Rules = (transport, { report, warn }) => {
  const place = transport.get('url');
  const endpoint = transport.get('endpoint');
  if (!transport.isObject) return;
  if (place.missing) {
    if (endpoint.missing) report(transport.path, 'missing key "endpoint" (allowed: an endpoint, or a "url")');
    return;
  }
  const text = place.text();
  if (text === undefined || !/^rss?:\/\//.test(text)) return;
  if (!/^rss?:\/\/(unix:.+|(\[[^\]]+\]|[^:/?#@[\]]+)(:\d{1,5})?\/?)$/.test(text)) {
    report(
      place.path,
      `found ${quoted(place)} (allowed: a URL such as "rs://localhost:8081" or "rs://unix:/run/router.sock")`,
    );
    return;
  }
  if (endpoint.missing && /^rss?:\/\/unix:/.test(text)) return;
  warnOfTls(transport, text.startsWith('rss:'), warn);
};

function warnOfTls(transport: Place, isSecure: boolean, warn: (path: readonly string[], text: string) => void): void {
  const endpoint = transport.get('endpoint');
  const place = transport.get('url');
  if (!endpoint.isObject || endpoint.get('tls').missing !== isSecure) return;
  const what = isSecure ? 'but "endpoint" has no "tls": the connection is not encrypted' : 'but "endpoint" has "tls"';
  warn(place.path, `found ${quoted(place)}, ${what}`);
}

function urlOf(place: Place): URL | undefined {
  const text = place.text();
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
}

/** A query may hold a ticket, and what is wrong with a config ends in a log. */
function quoted(place: Place): string {
  return JSON.stringify(place.text()?.replace(/\?[^#]*/, '?…') ?? null);
}
