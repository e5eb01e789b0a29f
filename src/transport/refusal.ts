/**
 * Refusals written to a bare socket, where there is no response object: an upgrade that is not taken, a connection
 * that does not speak HTTP.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Our `Server` header; without a version, because it only helps those who look for known faults. */
export const SERVER_NAME = 'crossbar-ts';

/** Answers with a short text and closes. A socket that is gone already is only released. */
export function refuse(
  socket: Duplex,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const reason = STATUS_CODES[status] ?? '';
  const body = `${status} ${reason}\n${text}\n`;
  // Destroyed after the last byte went out: a client that neither reads nor closes must not keep the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${reason}`,
      `Server: ${SERVER_NAME}`,
      'Connection: close',
      'Cache-Control: no-store',
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      body,
    ].join('\r\n'),
  );
}
