/**
 * In front of everything else of an endpoint with `proxy_protocol`: every connection comes from a trusted proxy and begins with a
 * header that says who is behind it, before TLS. From then on the connection is one of that client, for all who ask
 * (`transport/peer.ts`). It knows neither TLS nor what is spoken behind it.
 *
 *     accepted --a peer that is not trusted--> cut
 *        |--nothing, or a part of a header, in time; or another beginning--> cut
 *        |--a header--> the next one's
 *        +--LOCAL, UNKNOWN--> a first octet --> the next one's: the peer is the client
 *                                  |
 *                                  +-- closed, a check of the proxy: not a word
 */
import type { Socket } from 'node:net';
import type { Logger } from '../../log/logger.js';
import { RepeatedLog } from '../../log/repeated.js';
import { DeadlineQueue } from '../deadline-queue.js';
import { peerOf, placeAt, shownAddress } from '../peer.js';
import { parseProxyHeader } from './proxy-header.js';
import type { ProxyHeader } from './proxy-header.js';
import { TrustedProxies } from './trusted-proxies.js';

/** For the header, in milliseconds. A proxy sends it with the first packet. */
const HEADER_MS = 3000;

const NO_OCTETS = Buffer.alloc(0);

/** What a gate needs. */
export interface ProxyGateOptions {
  /** Those whose header counts; undefined where nobody is trusted, so that nobody gets through. */
  readonly proxies: TrustedProxies | undefined;
  readonly log: Logger;
  /** Takes a connection from which the header is gone. */
  readonly next: (socket: Socket) => void;
}

/** A connection that waits for more octets. */
interface Entering {
  readonly look: () => void;
  readonly end: () => void;
  /** What has come of its header. Undefined: the header has come, and it is one without a client. */
  octets: Buffer | undefined;
}

/** Takes the headers of the PROXY protocol from the connections of one endpoint. */
export class ProxyGate {
  #proxies: TrustedProxies;
  readonly #log: Logger;
  readonly #repeated: RepeatedLog;
  readonly #next: (socket: Socket) => void;
  readonly #entering = new Map<Socket, Entering>();
  readonly #deadlines = new DeadlineQueue<Socket>(HEADER_MS, (socket) => this.#overdue(socket));

  constructor({ proxies = new TrustedProxies({}), log, next }: ProxyGateOptions) {
    this.#proxies = proxies;
    this.#log = log;
    this.#repeated = new RepeatedLog(log);
    this.#next = next;
  }

  /** From now on these are the proxies whose header counts. */
  trust(proxies = new TrustedProxies({})): void {
    this.#proxies = proxies;
  }

  /** Takes a connection of which nothing has been read. */
  accept(socket: Socket): void {
    // A check that was reset before it was accepted has no address of the other end any more.
    if (isReset(socket)) return void socket.on('error', () => undefined).destroy();
    if (!this.#proxies.hasPeer(socket)) {
      const remedy = 'name the address in "trusted_proxies", if it is that of a proxy of yours';
      this.#refuse(socket, 'not a trusted proxy', remedy);
      return;
    }
    const look = (): void => this.#look(socket);
    const end = (): void => void socket.destroy();
    this.#entering.set(socket, { look, end, octets: NO_OCTETS });
    this.#deadlines.add(socket);
    socket
      .on('readable', look)
      .on('end', end)
      .on('error', end)
      .on('close', () => this.#forget(socket));
  }

  /** No connection comes any more, and nobody takes those whose header has not come. */
  stop(): void {
    for (const socket of this.#entering.keys()) socket.destroy();
    this.#deadlines.clear();
    this.#repeated.end();
  }

  #look(socket: Socket): void {
    const entering = this.#entering.get(socket);
    const octets = socket.read() as Buffer | null;
    if (entering === undefined || octets === null) return;
    if (entering.octets === undefined) return this.#passOn(socket, octets);
    entering.octets = Buffer.concat([entering.octets, octets]);
    const header = parseProxyHeader(entering.octets);
    if (header.is === 'bad') this.#refuse(socket, header.reason);
    else if (header.is !== 'more') this.#entered(socket, header, entering.octets.subarray(header.length));
  }

  #entered(socket: Socket, header: ProxyHeader & { readonly length: number }, rest: Buffer): void {
    if (header.is === 'client') this.#place(socket, header);
    const entering = this.#entering.get(socket);
    if (header.is === 'client' || rest.length > 0) this.#passOn(socket, rest);
    else if (entering !== undefined) entering.octets = undefined;
  }

  #place(socket: Socket, { address, port, isSecure, id }: ProxyHeader & { readonly is: 'client' }): void {
    const { remoteAddress } = socket;
    const via = remoteAddress === undefined ? 'unix' : shownAddress(remoteAddress);
    const known = port === 0 ? undefined : port;
    placeAt(socket, { remoteAddress: address, remotePort: known, via, ...(isSecure && { isSecure }) });
    if (this.#log.isLevelEnabled('debug')) this.#log.debug({ peer: peerOf(socket), via, id }, 'connection by a proxy');
  }

  #passOn(socket: Socket, rest: Buffer): void {
    this.#forget(socket);
    if (rest.length > 0) socket.unshift(rest);
    this.#next(socket);
  }

  #overdue(socket: Socket): void {
    const entering = this.#entering.get(socket);
    if (entering === undefined) return;
    if (entering.octets === undefined) return this.#passOn(socket, NO_OCTETS);
    this.#refuse(socket, 'no whole header within 3 seconds');
  }

  #refuse(socket: Socket, reason: string, remedy?: string): void {
    const facts = { peer: peerOf(socket), reason, ...(remedy !== undefined && { remedy }) };
    this.#repeated.say('warn', facts, 'connection without PROXY header, dropped', reason);
    this.#forget(socket);
    socket.on('error', () => undefined).destroy();
  }

  #forget(socket: Socket): void {
    const entering = this.#entering.get(socket);
    if (entering === undefined) return;
    this.#entering.delete(socket);
    this.#deadlines.delete(socket);
    socket.off('readable', entering.look).off('end', entering.end).off('error', entering.end);
  }
}

function isReset({ remoteAddress, localAddress }: Socket): boolean {
  return remoteAddress === undefined && localAddress !== undefined;
}
