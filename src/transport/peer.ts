/** How the other end of a connection is called in the log. */
import type { Socket } from 'node:net';

/** @returns `address:port`; `unix` for a socket of the file system, where peers have no address. */
export function peerOf(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return socket.destroyed ? 'unknown' : 'unix';
  return `${remoteAddress}:${remotePort}`;
}
