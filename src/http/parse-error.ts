/** The answer to a connection on which the HTTP parser gave up, and what the operator can do about it. */

export interface ParseError {
  readonly status: number;
  readonly text: string;
  /** One of few words. */
  readonly kind: string;
  readonly remedy?: string;
}

/** For request line and headers together, in bytes. */
export const MAX_HEADER_BYTES = 16_384;

/** @param error with which Node.js reports the connection */
export function parseErrorOf({ code, rawPacket }: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }): ParseError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        kind: 'headers',
        text: 'The request headers are too large.',
        remedy: `a request line and its headers may have ${String(MAX_HEADER_BYTES)} bytes; most often it is the cookies of other programs on the same host`,
      };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, kind: 'body', text: 'The request body is too large.' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, kind: 'time', text: 'The request did not arrive in time.' };
    default:
      return { status: 400, text: 'This is not a valid HTTP request.', ...otherProtocol(rawPacket) };
  }
}

/** How a TLS record with a ClientHello begins, a RawSocket handshake, and the CONNECT of a client of MQTT. */
const TLS_HANDSHAKE = 0x16;
const RAWSOCKET_MAGIC = 0x7f;
const MQTT_CONNECT = 0x10;

function otherProtocol(bytes: Buffer | undefined): Pick<ParseError, 'kind' | 'remedy'> {
  switch (bytes?.[0]) {
    case TLS_HANDSHAKE:
      return {
        kind: 'TLS',
        remedy:
          'the client speaks TLS (https, wss): give the endpoint a "tls" section, or let the client use http or ws',
      };
    case RAWSOCKET_MAGIC:
      return {
        kind: 'RawSocket',
        remedy: 'the client speaks RawSocket: it needs a transport of type "rawsocket" or "universal"',
      };
    case MQTT_CONNECT:
      return {
        kind: 'MQTT',
        remedy: 'the client speaks MQTT: it needs a transport of type "mqtt", or "universal" with "mqtt"',
      };
    default:
      return { kind: 'HTTP' };
  }
}
