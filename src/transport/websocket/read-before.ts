/** Reads a socket before `ws` does, which gets what is passed on to it. Found by the socket, the listeners need no closures. */
import type { Socket } from 'node:net';

/** What stands between a socket and `ws`. */
export interface SocketReader {
  push(chunk: Buffer): void;
  /** All that came has been pushed. */
  socketClosed(): void;
}

/** Feeds `ws`; called on its socket. */
export type FeedListener = (this: Socket, chunk: Buffer) => void;

interface ReadSocket extends Socket {
  [READER]?: SocketReader;
}

const READER = Symbol('reader');

/**
 * `ws` gets what the reader lets through, also what is left when the socket is closed: `ws` would read that itself.
 * @returns how to feed `ws`.
 */
export function putBefore(socket: ReadSocket, reader: SocketReader): FeedListener {
  const listener = socket.listeners('data').at(-1);
  if (listener === undefined) throw new TypeError('a WebSocket that nobody reads');
  socket[READER] = reader;
  socket.off('data', listener as FeedListener);
  socket.on('data', onData).prependListener('close', onSocketClose);
  return listener as FeedListener;
}

function onData(this: ReadSocket, chunk: Buffer): void {
  this[READER]?.push(chunk);
}

function onSocketClose(this: ReadSocket): void {
  this.off('data', onData);
  const rest = this.read() as Buffer | null;
  if (rest !== null) this[READER]?.push(rest);
  this[READER]?.socketClosed();
}
