/** What is checked of the services that lead to another server, beyond what the schema can say. */
import type { Rules } from '../../schema/rules.js';

/** Rule of `reverseproxy`: it says once where the backend is. */
export const checkReverseProxy: Rules = (service, { report, warn }) => {
  if (!service.isObject) return;
  const [host, endpoint] = [service.get('host'), service.get('endpoint')];
  if (host.missing && endpoint.missing) {
    report(service.path, 'missing key "host" (allowed: "host" and "port", or an "endpoint")');
  }
  if (!host.missing && !endpoint.missing) {
    report(endpoint.path, 'found beside "host" (allowed: one of them)');
  }
  const port = service.get('port');
  if (host.missing && !endpoint.missing && !port.missing) {
    report(port.path, 'found beside "endpoint", which has a port of its own (allowed: beside "host" only)');
  }
  if (!host.missing && port.missing) {
    warn(host.path, 'found without "port", which Crossbar.io needs: port 80 is asked');
  }
};

/** Rule of `backend`: the URL is one, and says the same of TLS as the endpoint. */
export const checkWebSocketBackend: Rules = (backend, { report, warn }) => {
  const [place, endpoint] = [backend.get('url'), backend.get('endpoint')];
  const text = place.text();
  if (text === undefined || !/^wss?:\/\//.test(text)) return;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hash !== '' || url.username !== '') {
    report(place.path, 'found no URL of a WebSocket (allowed: "ws://host:port/path?query", or wss://)');
    return;
  }
  const isSecure = url.protocol === 'wss:';
  if (endpoint.isObject && endpoint.get('tls').missing === isSecure) {
    warn(
      place.path,
      isSecure
        ? 'found "wss", but "endpoint" has no "tls": the connection is not encrypted'
        : 'found "ws", but "endpoint" has "tls"',
    );
  }
};
