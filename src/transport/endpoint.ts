/**
 * A listening endpoint and the acceptor behind it, which knows what is spoken there. Ports, socket files, TLS and the end
 * of every connection are decided here, once for all kinds of transports.
 *
 *     start: certificates are read -> the acceptor starts -> the port opens
 *     a connection -> TLS handshake, where there is TLS -> the acceptor's
 *     stop: the port closes -> the acceptor ends its connections -> what is left is cut
 */
import { createServer as createPlainServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import type { Logger } from '../log/logger.js';
import { listen } from './listen.js';
import { peerOf } from './peer.js';
import { readTlsFiles } from './tls-files.js';
import type { EndpointConfig } from './endpoint-schema.js';
import type { BoundAddress } from './listen.js';
import type { TlsConfig } from './tls-schema.js';

/** What a transport does with the connections of its endpoint. */
export interface Acceptor {
  /** Called once, before the port opens. */
  start?(): Promise<void>;
  /** Takes a connection, which has an end of its own even if the client ends only its half. Never throws. */
  accept(socket: Socket): void;
  /** Nothing will be accepted any more: ends what there is, with a grace. Idempotent; never rejects. */
  stop(): Promise<void>;
}

/** For the TLS handshake. Ten seconds, as for the headers of a request. */
const TLS_HANDSHAKE_MS = 10_000;

export class EndpointServer {
  readonly #endpoint: EndpointConfig;
  readonly #acceptor: Acceptor;
  readonly #log: Logger;
  readonly #server: Server;
  /** All connections; with TLS what lies below it, from before its handshake on. */
  readonly #connections = new Set<Socket>();
  /** A listener for all of them, which needs no closure for each. */
  readonly #forget: (this: Socket) => void;
  /** What has to be done before the port may open. */
  #prepare: () => Promise<void> = () => Promise.resolve();
  #started: Promise<BoundAddress> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(endpoint: EndpointConfig, acceptor: Acceptor, log: Logger) {
    this.#endpoint = endpoint;
    this.#acceptor = acceptor;
    this.#log = log;
    const tls = endpoint.type === 'tcp' ? endpoint.tls : undefined;
    this.#server = tls === undefined ? this.#plainServer() : this.#tlsServer(tls);
    this.#server.on('connection', (socket: Socket) => this.#remember(socket));
    const connections = this.#connections;
    this.#forget = function (this: Socket): void {
      connections.delete(this);
    };
  }

  /**
   * @returns where it listens; the port is a real one even if 0 was configured.
   * @throws TlsFileError or ListenError naming the file or the place, or the error of an acceptor that does not start;
   * what was started is stopped again then.
   */
  start(): Promise<BoundAddress> {
    if (this.#stopped !== undefined) throw new Error('a transport does not start again after it was stopped');
    this.#started ??= this.#startUp();
    return this.#started;
  }

  /** May be called at any time and more than once; never rejects. */
  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #startUp(): Promise<BoundAddress> {
    try {
      await this.#prepare();
      await this.#acceptor.start?.();
      const bound = await listen(this.#server, this.#endpoint);
      this.#server.on('error', (error) => this.#log.error({ err: error }, 'listening socket failed'));
      this.#log.debug(bound, 'listening');
      return bound;
    } catch (error) {
      await this.#acceptor.stop();
      throw error;
    }
  }

  async #shutDown(): Promise<void> {
    // A start under way is waited for: the port it is about to open has to be closed again.
    await Promise.allSettled([this.#started]);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#acceptor.stop();
    if (this.#connections.size > 0) this.#log.debug({ connections: this.#connections.size }, 'connections cut');
    for (const socket of this.#connections) socket.destroy();
    await closed;
    this.#log.debug('closed');
  }

  #plainServer(): Server {
    return createPlainServer({ allowHalfOpen: true }, (socket) => this.#acceptor.accept(socket));
  }

  #tlsServer(tls: TlsConfig): TlsServer {
    const asksForCertificate = tls.ca_certificates !== undefined;
    const server = createTlsServer(
      {
        allowHalfOpen: true,
        handshakeTimeout: TLS_HANDSHAKE_MS,
        requestCert: asksForCertificate,
        rejectUnauthorized: asksForCertificate,
      },
      (socket) => this.#secured(socket),
    );
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      this.#log.debug({ peer: peerOf(socket), code: error.code, reason: error.message }, 'TLS handshake failed');
      socket.destroy();
    });
    this.#prepare = async () => {
      server.setSecureContext(await readTlsFiles(tls, this.#log));
    };
    return server;
  }

  #secured(socket: TLSSocket): void {
    // With a second handshake on the same connection, `tls-unique` would no longer name this one.
    socket.disableRenegotiation();
    this.#acceptor.accept(socket);
  }

  #remember(socket: Socket): void {
    this.#connections.add(socket);
    socket.on('close', this.#forget);
  }
}
