/**
 * The connections to one backend: kept for the next request, counted with all connections of the process, and opened with TLS where
 * the backend has it. It knows no headers and no paths.
 */
import { Agent } from 'node:http';
import { connect } from 'node:net';
import type { AgentOptions, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionOptions, connect as connectTls } from 'node:tls';
import { openConnections } from '../../transport/open-connections.js';

/** Where a backend listens. */
export type BackendAddress =
  | { readonly host: string; readonly port: number; readonly family?: number; readonly tls?: ConnectionOptions }
  | { readonly path: string };

export interface BackendOptions {
  readonly address: BackendAddress;
  /** What the backend is asked for as its host. */
  readonly authority: string;
  /** How long a connection may take to be there; 0 waits as long as the system does. */
  readonly connectMs: number;
}

/** How long a connection waits for its next request. */
const IDLE_MS = 30_000;

/** So many connections wait for requests at most. */
const MAX_IDLE = 256;

/** A server behind a proxy. */
export class Backend {
  /** `http://host:port`. */
  readonly origin: string;
  readonly authority: string;
  readonly connectMs: number;
  readonly #address: BackendAddress;
  #agent: Agent | undefined;
  #requestOptions: RequestOptions = {};
  #connectTls: typeof connectTls | undefined;
  /** Those that requests have. */
  #used = 0;
  #stopped = false;
  readonly #counted = new WeakSet<Socket>();

  constructor({ address, authority, connectMs }: BackendOptions) {
    this.#address = address;
    this.authority = authority;
    this.connectMs = connectMs;
    this.origin = `${'tls' in address ? 'https' : 'http'}://${authority}`;
  }

  /** Rejects when TLS cannot be loaded. */
  async start(): Promise<void> {
    const options: AgentOptions = { keepAlive: true, maxFreeSockets: MAX_IDLE, timeout: IDLE_MS, scheduling: 'lifo' };
    if (this.#tls === undefined) this.#agent = new Agent(options);
    else {
      const { Agent: TlsAgent } = await import('node:https');
      this.#connectTls = (await import('node:tls')).connect;
      this.#agent = new TlsAgent({ ...options, ...this.#tls });
    }
    const protocol = this.#tls === undefined ? {} : { protocol: 'https:' };
    this.#requestOptions = { ...this.#place, agent: this.#agent, ...protocol };
  }

  /** For a request on a connection that is kept. */
  get requestOptions(): RequestOptions {
    return this.#requestOptions;
  }

  /** For a request that keeps its connection, as an upgrade does. Either end may stop sending, and go on to receive. */
  get upgradeOptions(): RequestOptions {
    return { createConnection: () => this.#open() };
  }

  /**
   * A request has got a connection, perhaps one that was used before.
   * @returns false when there are too many in the process: then it has to be closed.
   */
  taken(socket: Socket): boolean {
    if (!this.#counted.has(socket)) {
      if (!openConnections.admit(socket).isAdmitted) return false;
      this.#counted.add(socket);
      socket.once('close', () => openConnections.leave(socket));
    }
    this.#used += 1;
    openConnections.inUse(socket);
    return true;
  }

  /** The request is over. A connection that is kept makes room for others, should there be too many. */
  released(socket: Socket): void {
    this.#used -= 1;
    if (this.#counted.has(socket)) openConnections.waits(socket);
    if (this.#stopped && this.#used === 0) this.#agent?.destroy();
  }

  /** Requests that are under way go on; no connection is kept any more. Idempotent. */
  stop(): void {
    this.#stopped = true;
    if (this.#used === 0) this.#agent?.destroy();
    else
      for (const socket of Object.values(this.#agent?.freeSockets ?? {}).flatMap((free) => free ?? []))
        socket.destroy();
  }

  get #tls(): ConnectionOptions | undefined {
    return 'tls' in this.#address ? this.#address.tls : undefined;
  }

  get #place(): RequestOptions {
    if ('path' in this.#address) return { socketPath: this.#address.path };
    const { host, port, family } = this.#address;
    return { host, port, ...(family !== undefined && { family }) };
  }

  #open(): Socket {
    if ('path' in this.#address) return connect({ path: this.#address.path, allowHalfOpen: true });
    const { tls, ...place } = this.#address;
    if (tls === undefined || this.#connectTls === undefined) return connect({ ...place, allowHalfOpen: true });
    const options = { ...place, ...tls, allowHalfOpen: true };
    return this.#connectTls(options);
  }
}
