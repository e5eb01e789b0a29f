/**
 * Keeps the receiver of `ws` from going on behind a frame that is wrong. Without compression nothing ever waits in it; with
 * compression chunks wait while a message is inflated, and then `ws` (8.23) reads those behind the wrong one, too, from a state
 * that it must not be in. That throws where nobody catches, and what it inflates then is asked for after its end. Knows no WAMP.
 */
import type { WebSocket } from 'ws';

type Written = (chunk: Buffer, encoding: string, done: (error?: Error | null) => void) => void;

/** What is used of it; only `_receiver` is not meant to be. */
interface Receiver {
  readonly errored: Error | null;
  _write: Written;
}

/** Call it for a connection that is compressed, before anything is read. */
export function guardReceiver(ws: WebSocket): void {
  const { _receiver: receiver } = ws as unknown as { readonly _receiver: Receiver };
  const write = receiver._write.bind(receiver);
  receiver._write = (chunk, encoding, done) => {
    if (receiver.errored === null) write(chunk, encoding, done);
    else done();
  };
}
