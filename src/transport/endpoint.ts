/**
 * A listening endpoint and the acceptor behind it, which knows what is spoken there. Ports, socket files, TLS and the end
 * of every connection are decided here, once for all kinds of transports.
 *
 *     start: certificates are read, and followed from now on -> the acceptor starts -> the port opens
 *     a connection -> the header of a proxy, with `proxy_protocol` -> TLS handshake, where there is TLS -> the acceptor's
 *     stop: the port closes -> the acceptor ends its connections -> what is left is cut
 *     dismiss: the same, one by one, while the node goes on
 */
import { createServer as createPlainServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { InPlaceSet } from '../collections/in-place.js';
import { auditOf } from '../log/audit.js';
import type { Logger } from '../log/logger.js';
import { RepeatedLog } from '../log/repeated.js';
import { listen } from './listen/listen.js';
import { openConnections } from './open-connections.js';
import { continueAs, peerOf } from './peer.js';
import { ProxyGate } from './proxies/proxy-gate.js';
import { FollowedFiles } from './tls/followed-files.js';
import { handshakeFaultOf } from './tls/handshake-fault.js';
import type { EndpointConfig } from './endpoint-schema.js';
import type { TransportCounts } from '../metrics/transport-counts.js';
import type { BoundAddress } from './listen/listen.js';
import type { TrustedProxies } from './proxies/trusted-proxies.js';
import type { SharedPort } from './shared-port.js';
import type { FollowingDeps, UseCertificate } from './tls/followed-files.js';
import type { TlsConfig } from './tls/schema.js';

/** What a transport does with the connections of its endpoint. */
export interface Acceptor {
  /** Called once, before the port opens. */
  start?(): Promise<void>;
  /** Takes a connection, which has an end of its own even if the client ends only its half. Never throws. */
  accept(socket: Socket): void;
  /**
   * Nothing will be accepted any more, because the transport goes while the node goes on: ends WAMP connections one by one. Begins in the
   * turn of the call; resolves when each was told; then {@link stop} is called. Never rejects.
   */
  dismiss?(): Promise<void>;
  /** Nothing will be accepted any more: ends what there is, with a grace. Idempotent; never rejects. */
  stop(): Promise<void>;
}

/** Who else counts at an endpoint. */
export interface EndpointAround {
  /** Where others have the same port. */
  readonly shared?: SharedPort | undefined;
  /** Those whose header counts, with `proxy_protocol`; nobody's by default. */
  readonly trustedProxies?: TrustedProxies | undefined;
  /** What is counted of the transport; nobody looks at it by default. */
  readonly counts?: TransportCounts | undefined;
  /** How certificates are followed; by default with what the system has. */
  readonly following?: FollowingDeps;
}

/** For the TLS handshake. Ten seconds, as for the headers of a request. */
const TLS_HANDSHAKE_MS = 10_000;

const TLS_FAILED = 'TLS handshake failed';

const MORE_DESCRIPTORS = 'raise the limit of open files of the process (`ulimit -n`, `LimitNOFILE` of systemd)';

/** Listens on one endpoint, does TLS, and gives every connection to its acceptor. */
export class EndpointServer {
  readonly #endpoint: EndpointConfig;
  readonly #acceptor: Acceptor;
  readonly #shared: SharedPort | undefined;
  readonly #following: FollowingDeps | undefined;
  readonly #counts: TransportCounts | undefined;
  readonly #log: Logger;
  readonly #repeated: RepeatedLog;
  readonly #server: Server;
  /** Undefined where connections begin without the header of a proxy. */
  readonly #gate: ProxyGate | undefined;
  /** All connections; with TLS what lies below it, from before its handshake on. */
  readonly #connections = new InPlaceSet<Socket>();
  /** ends of a connection -> the connection whose TLS handshake is not done */
  readonly #handshakes = new Map<string, Socket>();
  /** A listener for all of them, which needs no closure for each. */
  readonly #forget: (this: Socket) => void;
  /** Undefined where there is no TLS. */
  #tls: { readonly config: TlsConfig; readonly server: TlsServer; readonly files: FollowedFiles } | undefined;
  #started: Promise<BoundAddress> | undefined;
  #hasStarted = false;
  #stopped: Promise<void> | undefined;

  constructor(
    endpoint: EndpointConfig,
    acceptor: Acceptor,
    log: Logger,
    { shared, trustedProxies, following, counts }: EndpointAround = {},
  ) {
    this.#counts = counts;
    this.#shared = shared;
    this.#following = following;
    this.#endpoint = endpoint;
    this.#acceptor = acceptor;
    this.#log = log;
    this.#repeated = new RepeatedLog(log);
    const tls = 'tls' in endpoint ? endpoint.tls : undefined;
    const next = tls === undefined ? (socket: Socket) => this.#acceptor.accept(socket) : this.#tlsAccept(tls);
    const gate =
      endpoint.proxy_protocol === undefined ? undefined : new ProxyGate({ proxies: trustedProxies, log, next });
    this.#gate = gate;
    const accept = gate === undefined ? next : (socket: Socket) => gate.accept(socket);
    this.#server = createPlainServer({ allowHalfOpen: true }, (socket) => {
      if (this.#remember(socket)) accept(socket);
    });
    const connections = this.#connections;
    this.#forget = function (this: Socket): void {
      connections.delete(this);
      openConnections.leave(this);
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

  /** See {@link TransportServer.dismiss}. */
  async dismiss(): Promise<void> {
    if (this.#stopped !== undefined) return this.#stopped;
    this.#tls?.files.end();
    // Another one may listen at the same place right away.
    this.#server.close();
    await this.#acceptor.dismiss?.();
    await this.stop();
  }

  /**
   * Reads the files of a `tls` section, the same as before or another one. Connections that come from now on get what is in
   * them; those that are open go on, and so does a handshake that has begun.
   * @throws TlsFileError (rejects) when a file cannot be used: then all stays as it was.
   * @throws TypeError (rejects) where that takes another endpoint: TLS cannot come and go, and neither can
   * `ca_certificates`, by which clients are asked for a certificate.
   */
  async renew(config: TlsConfig): Promise<void> {
    (await this.prepareTls(config))();
  }

  /** As {@link renew}, in two steps. @returns what puts in force what was read, or nothing to do where there is nothing new. */
  async prepareTls(config: TlsConfig): Promise<() => void> {
    const tls = this.#tls;
    if (tls === undefined) throw new TypeError('this endpoint has no TLS');
    if ((config.ca_certificates === undefined) !== (tls.config.ca_certificates === undefined)) {
      throw new TypeError('whether clients are asked for a certificate is decided when the endpoint starts');
    }
    const use = await tls.files.prepare(config);
    return () => {
      use();
      this.#tls = { ...tls, config };
    };
  }

  /** @returns whether the files of this section are not those in force: other ones, or written or replaced since. */
  async hasNewFiles(config: TlsConfig): Promise<boolean> {
    return (await this.#tls?.files.differs(config)) === true;
  }

  /** From now on the header of others counts, with `proxy_protocol`. */
  trust(proxies: TrustedProxies | undefined): void {
    this.#gate?.trust(proxies);
  }

  /** What goes on here, in numbers; for those who ask now and then. */
  get stats(): { readonly connections: number; readonly handshakes: number } {
    return { connections: this.#connections.size, handshakes: this.#handshakes.size };
  }

  async #startUp(): Promise<BoundAddress> {
    try {
      await this.#tls?.files.begin();
      await this.#acceptor.start?.();
      const listenHere = () => listen(this.#server, this.#endpoint);
      const bound = await (this.#shared === undefined ? listenHere() : this.#shared.listen(listenHere));
      this.#server.on('error', (error: NodeJS.ErrnoException) => this.#listeningFailed(error));
      this.#log.debug(bound, 'listening');
      this.#hasStarted = true;
      return bound;
    } catch (error) {
      this.#tls?.files.end();
      await this.#acceptor.stop();
      throw error;
    }
  }

  async #shutDown(): Promise<void> {
    // A start under way is waited for: the port it is about to open has to be closed again.
    await Promise.allSettled([this.#started]);
    this.#tls?.files.end();
    this.#counts?.certificates.delete(this);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#gate?.stop();
    await this.#acceptor.stop();
    if (this.#connections.size > 0) this.#log.debug({ connections: this.#connections.size }, 'connections cut');
    for (const socket of this.#connections) socket.destroy();
    await closed;
    this.#repeated.end();
    this.#log.debug('closed');
  }

  /** @returns what begins the handshake of a connection. The server has no port of its own. */
  #tlsAccept(tls: TlsConfig): (socket: Socket) => void {
    const server = this.#tlsServer(tls);
    return (socket) => {
      const ends = endsOf(socket);
      this.#handshakes.set(ends, socket);
      socket.on('close', () => {
        // The next one from the same port may have been accepted already.
        if (this.#handshakes.get(ends) === socket) this.#handshakes.delete(ends);
      });
      // Node.js documents this event as the way to give connections to a TLS server.
      server.emit('connection', socket);
    };
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
      this.#handshakeFailed(error, socket);
      socket.destroy();
    });
    const use: UseCertificate = (options, { subject, validTo, fingerprint256 }) => {
      server.setSecureContext(options);
      this.#counts?.certificates.set(this, Date.parse(validTo) / 1000);
      // Also of one that was followed, and not only of one that a reload brought.
      if (!this.#hasStarted) return;
      const about = { subject: subject.replaceAll('\n', ', '), validTo, sha256: fingerprint256 };
      auditOf(this.#log)?.record({ event: 'certificate changed', about });
    };
    const files = new FollowedFiles(tls, use, this.#log, this.#following);
    this.#tls = { config: tls, server, files };
    return server;
  }

  #handshakeFailed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    // The connection below knows where its client is, also when that has left.
    const facts = { peer: peerOf(this.#handshakes.get(endsOf(socket)) ?? socket), code: error.code };
    const fault = handshakeFaultOf(error);
    if (fault === undefined) return this.#log.debug({ ...facts, reason: error.message }, TLS_FAILED);
    const { kind, ...told } = fault;
    this.#repeated.say('warn', { ...facts, ...told }, TLS_FAILED, `TLS: ${kind}`);
  }

  #secured(socket: TLSSocket): void {
    // With a second handshake on the same connection, `tls-unique` would no longer name this one.
    socket.disableRenegotiation();
    const ends = endsOf(socket);
    const below = this.#handshakes.get(ends);
    this.#handshakes.delete(ends);
    if (below !== undefined) {
      openConnections.continueAs(below, socket);
      continueAs(below, socket);
    }
    this.#acceptor.accept(socket);
  }

  /** @returns false when there is no place for it: then it is closed. */
  #remember(socket: Socket): boolean {
    const { isAdmitted, hasEvicted } = openConnections.admit(socket);
    if (!isAdmitted || hasEvicted) this.#sayFull(isAdmitted, socket);
    if (!isAdmitted) {
      socket.destroy();
      return false;
    }
    this.#connections.add(socket);
    socket.on('close', this.#forget);
    return true;
  }

  #sayFull(isAdmitted: boolean, socket: Socket): void {
    const facts = { limit: openConnections.limit, address: socket.remoteAddress ?? 'unix', advice: MORE_DESCRIPTORS };
    const message = isAdmitted
      ? 'no place for another connection: the one that waited longest without a session was closed'
      : 'no place for another connection: it was closed';
    this.#repeated.say('warn', facts, message);
  }

  #listeningFailed(error: NodeJS.ErrnoException): void {
    const isFull = error.code === 'EMFILE' || error.code === 'ENFILE';
    this.#repeated.say('error', { err: error, ...(isFull && { advice: MORE_DESCRIPTORS }) }, 'listening socket failed');
  }
}

/** @returns the same for a connection and for the TLS on it, and for no other connection that is open. */
function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''} ${localAddress ?? ''}`;
}
