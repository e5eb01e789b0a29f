/** How a socket gets its place at a transport. */
import type { Socket } from 'node:net';
import { askAfter } from './keep-alive.js';
import type { TransportHost } from './transport-host.js';

/** Counts a socket with its host until it is closed. @returns false when it has to be refused. */
export function admitSocket(socket: Socket, host: TransportHost): boolean {
  if (socket.destroyed || !host.admit(socket)) return false;
  socket.on('close', host.onClose);
  if (!host.pings) askAfter(socket);
  return true;
}
