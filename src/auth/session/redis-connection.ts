/**
 * The connection to Redis: how `@redis/client` is set up, so that nothing waits for a Redis that is not there. It connects again by
 * itself. `redis-store.ts` knows what the keys are.
 */
import { readFileSync } from 'node:fs';
import { messageOf } from '../../system/error.js';
import type * as redisClient from '@redis/client';
import type { RedisStoreConfig } from './store-schema.js';

/** `@redis/client`, which only some configs need. */
export type RedisPackage = typeof redisClient;

/** What a store asks of Redis. */
export interface RedisConnection {
  readonly isReady: boolean;
  get(key: string): Promise<string | null>;
  pTTL(key: string): Promise<number>;
  /** Idempotent. */
  close(): void;
}

/** What Redis, or the way to it, tells. */
export interface RedisEvents {
  /** The connection is there, or there again. */
  ready(): void;
  failed(error: unknown): void;
  /** @param key undefined: all of them. */
  changed(key: string | undefined): void;
}

const CONNECT_TIMEOUT_MS = 2000;

/** Redis closes no connection by itself, but a network may: a silence between two PINGs ends it. */
const PING_EVERY_MS = 1000;
const SILENT_MS = 3000;

/** The time between two attempts to connect grows up to this. */
const MAX_RETRY_MS = 500;

/** Between two attempts to find the master, where sentinels do not know it yet. */
const SEARCH_EVERY_MS = 1000;

/** Through sentinels each question takes a connection for itself. */
const MASTER_CONNECTIONS = 4;

/** Opens a connection, and waits for nothing. @throws when a file of `tls` cannot be read. */
export function openRedis(redis: RedisPackage, config: RedisStoreConfig, events: RedisEvents): RedisConnection {
  return config.sentinel === undefined
    ? openSingle(redis, config, events)
    : openBehindSentinels(redis, { ...config, sentinel: config.sentinel }, events);
}

function openSingle({ createClient }: RedisPackage, config: RedisStoreConfig, events: RedisEvents): RedisConnection {
  const options = optionsOf(config);
  const client = createClient({
    ...options,
    emitInvalidate: config.watch,
    commandOptions: { timeout: config.timeout },
    socket: { ...options.socket, ...addressIn(config.url) },
  });
  client.on('ready', () => events.ready());
  client.on('error', (error: unknown) => events.failed(error));
  client.on('invalidate', (key: string | Buffer | null) => events.changed(key === null ? undefined : String(key)));
  // It rejects only when it is closed before it was connected; what goes wrong before is told as an error.
  client.connect().catch(() => undefined);
  // A store that stays open keeps no process running.
  client.unref();
  return {
    get isReady() {
      return client.isReady;
    },
    get: (key) => client.get(key),
    pTTL: (key) => client.pTTL(key),
    close: () => {
      if (client.isOpen) client.destroy();
    },
  };
}

/** The client for sentinels hands on no news of keys. */
function openBehindSentinels(
  { createSentinel }: RedisPackage,
  config: RedisStoreConfig & Required<Pick<RedisStoreConfig, 'sentinel'>>,
  events: RedisEvents,
): RedisConnection {
  const { name, nodes } = config.sentinel;
  const options = optionsOf(config);
  const { socket, maintNotifications, disableClientInfo } = options;
  const client = createSentinel({
    name,
    sentinelRootNodes: nodes.map(addressOf),
    nodeClientOptions: options,
    sentinelClientOptions: { socket, maintNotifications, disableClientInfo },
    commandOptions: { timeout: config.timeout },
    masterPoolSize: MASTER_CONNECTIONS,
    passthroughClientErrorEvents: true,
  });
  client.on('ready', () => events.ready());
  client.on('error', (error: unknown) => events.failed(error));
  let search: NodeJS.Timeout | undefined;
  let isClosed = false;
  const connect = (): void => {
    client.connect().catch((error: unknown) => {
      if (isClosed) return;
      events.failed(error);
      // It gives up when no sentinel knows the master.
      search = setTimeout(connect, SEARCH_EVERY_MS).unref();
    });
  };
  connect();
  return {
    get isReady() {
      return client.isReady;
    },
    get: (key) => client.get(key),
    pTTL: (key) => client.pTTL(key),
    close: () => {
      isClosed = true;
      clearTimeout(search);
      client.destroy().catch(() => undefined);
    },
  };
}

function addressIn(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: port === '' ? DEFAULT_PORT : Number(port),
  };
}

/** @param node as `host:port`. */
function addressOf(node: string): { host: string; port: number } {
  const colon = node.lastIndexOf(':');
  return { host: node.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(node.slice(colon + 1)) };
}

/** What is the same for every Redis of a config. */
function optionsOf({ url, username, password, tls, timeout }: RedisStoreConfig) {
  const { protocol, pathname, username: user, password: secret } = new URL(url);
  const [name, word] = [username ?? decodeURIComponent(user), password ?? decodeURIComponent(secret)];
  const socket = {
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: Math.max(SILENT_MS, 2 * timeout),
    reconnectStrategy: (retries: number) => Math.min(MAX_RETRY_MS, 20 + 50 * retries),
  };
  return {
    RESP: 3 as const,
    ...(name !== '' && { username: name }),
    ...(word !== '' && { password: word }),
    database: Number(pathname.slice(1)),
    disableOfflineQueue: true,
    pingInterval: PING_EVERY_MS,
    // Of Redis Enterprise, and of no use for a few reads; the users of an ACL would need more for it.
    maintNotifications: 'disabled' as const,
    disableClientInfo: true,
    socket: protocol === 'rediss:' ? { ...socket, tls: true as const, ...tlsFilesOf(tls) } : socket,
  };
}

const DEFAULT_PORT = 6379;

function tlsFilesOf(tls: RedisStoreConfig['tls']): { ca?: string[]; cert?: string; key?: string } {
  const { ca_certificates: ca, certificate, key } = tls ?? {};
  return {
    ...(ca && { ca: ca.map((file, index) => fileText(`ca_certificates/${index}`, file)) }),
    ...(certificate !== undefined && { cert: fileText('certificate', certificate) }),
    ...(key !== undefined && { key: fileText('key', key) }),
  };
}

function fileText(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`auth/session/store/tls/${key}: the file cannot be read: ${messageOf(cause)}`, { cause });
  }
}
