import type { Socket } from 'node:net';

const SILENCE_MS = 60_000;

/**
 * Has the system ask after a peer that was silent for a minute, and give it up when ten questions, a second apart, are not
 * answered (TCP keep-alive). Otherwise a machine that lost its power would never be missed. It takes four system calls, so
 * it is for connections that nothing else ends: no ping, no time limit.
 */
export function askAfter(socket: Socket): void {
  socket.setKeepAlive(true, SILENCE_MS);
}
