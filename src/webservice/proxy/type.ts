/** The config words `reverseproxy` and `websocket-reverseproxy`. */
import { onDemand } from '../on-demand.js';
import type { ReverseProxyConfig, WebSocketReverseProxyConfig } from './schema.js';

/** A body may take so long to arrive: for large files by slow lines. One that stands still is cut earlier. */
export const BODY_MS = 3_600_000;

/** Options: see `schema.ts`. */
export const reverseProxyServiceType = onDemand<ReverseProxyConfig>({
  ...{ type: 'reverseproxy', upgrades: true, atFront: 'untracked' },
  times: () => ({ bodyMs: BODY_MS }),
  load: async () => (await import('./reverse-proxy.js')).createReverseProxy,
});

/** Options: see `schema.ts`. */
export const webSocketReverseProxyServiceType = onDemand<WebSocketReverseProxyConfig>({
  ...{ type: 'websocket-reverseproxy', upgrades: true, atFront: 'untracked' },
  load: async () => (await import('./websocket-proxy.js')).createWebSocketReverseProxy,
});
