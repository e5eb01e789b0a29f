/** What a connection is told that the HTTP parser gave up on. */

export interface ClientFault {
  readonly status: number;
  readonly text: string;
}

/** @param code `code` of the error with which Node.js reports the connection */
export function clientFault(code: string | undefined): ClientFault {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, text: 'The request headers are too large.' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, text: 'The request body is too large.' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, text: 'The request did not arrive in time.' };
    default:
      return { status: 400, text: 'This is not a valid HTTP request.' };
  }
}
