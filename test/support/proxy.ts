/** A proxy of this process in front of a backend of a test. */
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

import type { Logger } from '../../src/log/logger.js';
import type { WebService } from '../../src/http/service.js';
import { createWebService } from '../../src/webservice/registry.js';
import type { ReverseProxyConfig, WebSocketReverseProxyConfig } from '../../src/webservice/proxy/schema.js';
import type { WebServiceDeps } from '../../src/webservice/service.js';
import { startHttp } from './http-server.js';
import { RawBackend, RawConnection } from './raw-backend.js';
import { serviceDeps } from './web.js';

type Options = Partial<ReverseProxyConfig['options']>;

export function reverseProxyConfig({
  options,
  ...parts
}: Partial<Omit<ReverseProxyConfig, 'options'>> & { readonly options?: Options }): ReverseProxyConfig {
  return {
    type: 'reverseproxy',
    path: '/',
    ...parts,
    options: {
      ...{ timeout: 30, max_requests: 1000, max_connections: 1000, pass_cookie: false, forwarded: false },
      ...options,
    },
  };
}

export function webSocketProxyConfig(
  url: string,
  options: Partial<WebSocketReverseProxyConfig['options']> = {},
): WebSocketReverseProxyConfig {
  return {
    type: 'websocket-reverseproxy',
    backend: { type: 'websocket', url },
    options: {
      ...{ allowed_origins: ['*'], allow_null_origin: true, open_handshake_timeout: 10_000 },
      ...{ max_connections: 1000, pass_cookie: false },
      ...options,
    },
  };
}

/** A backend that ends with its test. */
export async function rawBackend(
  act?: (connection: RawConnection, index: number) => void,
  at?: string,
): Promise<{ readonly backend: RawBackend; readonly port: number }> {
  const backend = new RawBackend(act);
  const port = await backend.listen(at);
  onTestFinished(() => backend.stop());
  return { backend, port };
}

/** A backend that answers each head that comes. */
export function answering(answer: string): (connection: RawConnection) => void {
  return (connection) => {
    let answered = 0;
    connection.socket.on('data', () => {
      const heads = connection.text.split('\r\n\r\n');
      for (; answered < heads.length - 1; answered++) {
        const hasBody = heads[answered]?.startsWith('HEAD ') !== true;
        connection.socket.write(hasBody ? answer : `${answer.split('\r\n\r\n', 1).join('')}\r\n\r\n`);
      }
    });
  };
}

/** A server with the proxy on all paths; ends with its test. */
export async function startProxy(
  config: ReverseProxyConfig | WebSocketReverseProxyConfig,
  { log, ...deps }: { readonly log?: Logger } & Partial<WebServiceDeps> = {},
): Promise<{ readonly port: number; readonly service: WebService }> {
  const service = createWebService(config, serviceDeps({ ...deps, ...(log && { log }) }));
  const { port, server } = await startHttp(service, { ...(log && { log }) });
  onTestFinished(() => server.stop());
  return { port, service };
}

type Parts = Parameters<typeof reverseProxyConfig>[0];

/** A backend, a proxy in front of it, and a connection to that. */
export interface Setup {
  readonly backend: Awaited<ReturnType<typeof rawBackend>>['backend'];
  readonly port: number;
  readonly client: RawConnection;
}

/** A connection that ends with its test. It is reset: to one that is only closed a server goes on to say what it has to say. */
export function clientOf(port: number): RawConnection {
  const client = new RawConnection(connect(port, '127.0.0.1'));
  onTestFinished(() => void client.socket.resetAndDestroy());
  return client;
}

/** A client of a proxy of a backend. */
export async function setUp(
  act: (connection: RawConnection, index: number) => void,
  parts: Parts = {},
  deps: Parameters<typeof startProxy>[1] = {},
): Promise<Setup> {
  const { backend, port: behind } = await rawBackend(act);
  const { port } = await startProxy(reverseProxyConfig({ host: '127.0.0.1', port: behind, ...parts }), deps);
  return { backend, port, client: clientOf(port) };
}
