/**
 * Why a TLS handshake failed, for the log. A browser tells its user of a certificate at most, and a program often nothing: who
 * operates the node has no other witness. Pure.
 */

/** Told once a minute for each `kind`. */
export interface HandshakeFault {
  /** One of few words. */
  readonly kind: string;
  /** In the words of OpenSSL. */
  readonly reason: string;
  /** What would let the client in. */
  readonly remedy?: string;
}

/** Of an error of OpenSSL; Node.js does not declare `reason`. */
type HandshakeError = NodeJS.ErrnoException & { readonly reason?: string };

const NOT_TRUSTED = {
  kind: 'not trusted',
  remedy:
    'the client does not trust the certificate: let it know the authority, or send the intermediate certificates, too',
};

/** By the code of the error; those of one kind differ by what the clients call it. */
const FAULTS: Readonly<Record<string, Omit<HandshakeFault, 'reason'>>> = {
  ERR_SSL_HTTP_REQUEST: { kind: 'http', remedy: 'the client speaks http or ws: let it use https or wss' },
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: NOT_TRUSTED,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: NOT_TRUSTED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: NOT_TRUSTED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: { kind: 'expired', remedy: 'renew the certificate of the endpoint' },
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: {
    kind: 'no certificate',
    remedy: 'this endpoint asks for a certificate ("ca_certificates"), and the client has none',
  },
};

/** @returns undefined where the client left, or said nothing: scans and checks of load balancers do that all day. */
export function handshakeFaultOf({ code, reason, message }: HandshakeError): HandshakeFault | undefined {
  if (code === undefined || !code.startsWith('ERR_SSL_')) return undefined;
  return { ...(FAULTS[code] ?? { kind: 'other' }), reason: reason ?? message };
}
