/** The derived types, held against what the other folders are built on. The compiler does the checking. */
import { describe, expectTypeOf, it } from 'vitest';

import type { AnonymousConfig } from '../../../src/auth/schema.js';
import type { NodeConfig } from '../../../src/config/schema.js';
import type { TransportConfig } from '../../../src/worker/schema.js';
import type { CookieConfig, CookieStoreConfig } from '../../../src/cookie/schema.js';
import type { PermissionConfig, RoleConfig } from '../../../src/router/schema.js';
import type { EndpointConfig, TcpEndpointConfig } from '../../../src/transport/endpoint-schema.js';
import type { WebSocketOptions } from '../../../src/transport/websocket/schema.js';
import type { PathServiceConfig } from '../../../src/webservice/schema.js';

describe('derived types', () => {
  it('have what has a default, and leave out what has none', () => {
    expectTypeOf<CookieConfig['max_age']>().toEqualTypeOf<number>();
    expectTypeOf<CookieConfig['secure']>().toEqualTypeOf<boolean | undefined>();
    expectTypeOf<CookieConfig['same_site']>().toEqualTypeOf<'Strict' | 'Lax' | 'None'>();
    expectTypeOf<CookieStoreConfig['type']>().toEqualTypeOf<'memory' | 'file' | 'database' | 'nats'>();
    expectTypeOf<TcpEndpointConfig['port']>().toEqualTypeOf<number>();
    expectTypeOf<TcpEndpointConfig['version']>().toEqualTypeOf<4 | 6 | undefined>();
    expectTypeOf<WebSocketOptions['allowed_origins']>().toEqualTypeOf<readonly string[] | undefined>();
    expectTypeOf<WebSocketOptions['enable_flash_policy']>().toEqualTypeOf<false>();
    expectTypeOf<AnonymousConfig['role']>().toEqualTypeOf<string>();
  });

  it('tell variants apart by their type', () => {
    expectTypeOf<TransportConfig['type']>().toEqualTypeOf<
      'web' | 'websocket' | 'rawsocket' | 'mqtt' | 'universal' | 'flashpolicy' | 'websocket.testee' | 'stream.testee'
    >();
    expectTypeOf<Extract<EndpointConfig, { type: 'unix' }>['path']>().toEqualTypeOf<string>();
    expectTypeOf<PathServiceConfig['type']>().toEqualTypeOf<
      | ('static' | 'websocket' | 'path' | 'redirect' | 'json' | 'login' | 'nodeinfo' | 'none')
      | ('monitor' | 'metrics' | 'mqtt')
      | ('publisher' | 'caller' | 'webhook' | 'upload' | 'cgi' | 'archive' | 'longpoll')
      | ('healthz' | 'readyz' | 'health')
      | ('reverseproxy' | 'websocket-reverseproxy' | 'wsgi' | 'resource')
    >();
    expectTypeOf<Extract<PathServiceConfig, { type: 'redirect' }>['url']>().toEqualTypeOf<string>();
  });

  it('are short to write for roles', () => {
    expectTypeOf<{ uri: 'a' }>().toExtend<PermissionConfig>();
    expectTypeOf<{ name: 'a'; permissions: { uri: 'a'; allow: { call: true } }[] }>().toExtend<RoleConfig>();
  });

  it('are readonly', () => {
    expectTypeOf<NodeConfig['workers']>().not.toExtend<unknown[]>();
    expectTypeOf<NonNullable<WebSocketOptions['allowed_origins']>>().not.toExtend<unknown[]>();
  });
});
