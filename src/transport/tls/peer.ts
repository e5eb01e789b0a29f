/**
 * What TLS knows of the client of a connection: its certificate, and data that binds an authentication to this very
 * connection. For the authentication methods that ask for it.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ClientCertificate, TlsClient } from '../../auth/method.js';

export interface TlsPeer {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string | null;
  /** The cipher suite, as the standard calls it. */
  readonly cipher: string;
  /** Whether the certificate is signed by one of `ca_certificates`. */
  readonly verified: boolean;
  /** Undefined where the client has shown none: it is asked only with `ca_certificates`. */
  readonly certificate: ClientCertificate | undefined;
}

/** The kinds of channel binding (RFC 5929, RFC 9266). */
export type ChannelBindingType = 'tls-unique' | 'tls-exporter';

const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';
const EXPORTER_BYTES = 32;
const NO_CONTEXT = Buffer.alloc(0);

/** @returns what authentication methods ask; it is looked up when they do. Undefined for a connection that is not TLS. */
export function tlsClientOf(socket: Socket): TlsClient | undefined {
  return socket instanceof TLSSocket ? new TlsConnection(socket) : undefined;
}

class TlsConnection implements TlsClient {
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
  }

  get certificate(): ClientCertificate | undefined {
    return this.#socket.authorized ? certificateOf(this.#socket) : undefined;
  }

  channelBinding(type: string): Uint8Array | undefined {
    return type === 'tls-unique' || type === 'tls-exporter' ? channelBindingOf(this.#socket, type) : undefined;
  }
}

/** @returns undefined for a connection that is not TLS. */
export function tlsPeerOf(socket: Socket): TlsPeer | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  return {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    verified: socket.authorized,
    certificate: certificateOf(socket),
  };
}

function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  // Without a certificate this is an object without keys, or null on a connection that is gone.
  const certificate = socket.getPeerCertificate() as Partial<ReturnType<TLSSocket['getPeerCertificate']>> | null;
  const { fingerprint: sha1, fingerprint256: sha256, subject } = certificate ?? {};
  if (sha1 === undefined || sha256 === undefined) return undefined;
  const commonName: unknown = subject?.CN;
  return { sha1, sha256, commonName: typeof commonName === 'string' ? commonName : undefined };
}

/**
 * Each version of TLS has one kind: `tls-unique` is not defined for 1.3, and what 1.2 exports binds only together with an
 * extension of which Node.js does not tell whether it was agreed on.
 *
 * @param socket of a server: handshakes are never repeated or resumed there, so the first Finished is the client's.
 * @returns undefined where the connection does not have that kind.
 */
export function channelBindingOf(socket: Socket, type: ChannelBindingType): Buffer | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const protocol = socket.getProtocol();
  if (type === 'tls-unique') return protocol === 'TLSv1.2' ? socket.getPeerFinished() : undefined;
  if (protocol !== 'TLSv1.3') return undefined;
  return socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, NO_CONTEXT);
}
