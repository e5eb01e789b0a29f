/**
 * What the receiver of `ws` has no option for. Knows no WAMP.
 *
 * {@link guardReceiver} keeps it from going on behind a frame that is wrong. Without compression nothing ever waits in it; with
 * compression chunks wait while a message is inflated, and then `ws` (8.23) reads those behind the wrong one, too, from a state
 * that it must not be in. That throws where nobody catches, and what it inflates then is asked for after its end.
 *
 * {@link limitFrames} limits each frame by itself, as it is on the wire; {@link limitInflated} a message, anew when another limit
 * holds for it. {@link inflateNoMore} makes an end of all that has been read. {@link passFragments} waits for no message.
 */
import type { WebSocket } from 'ws';

const DEFLATE = 'permessage-deflate';

type Done = (error?: Error | null) => void;
type Written = (chunk: Buffer, encoding: string, done: Done) => void;

/** What is used of it; only `errored` is meant to be. */
interface Receiver {
  readonly errored: Error | null;
  readonly _extensions: { readonly [DEFLATE]?: { _maxPayload: number } };
  _maxPayload: number;
  /** Of the frame whose length has been read. */
  readonly _opcode: number;
  readonly _payloadLength: number;
  _write: Written;
  /** Of the message that is not complete. */
  readonly _fin: boolean;
  _fragments: Buffer[];
  _totalPayloadLength: number;
  _messageLength: number;
  _numFragments: number;
  dataMessage: (done: Done) => void;
  haveLength: (done: Done) => void;
  createError(kind: typeof RangeError, message: string, prefix: boolean, closeCode: number, code: string): Error;
}

/** Call it for a connection that is compressed, before anything is read. */
export function guardReceiver(ws: WebSocket): void {
  const receiver = receiverOf(ws);
  const write = receiver._write.bind(receiver);
  receiver._write = (chunk, encoding, done) => {
    if (receiver.errored === null) write(chunk, encoding, done);
    else done();
  };
}

/** The opcodes from here on are those of control frames. */
const FIRST_CONTROL = 0x08;

/**
 * Fails the connection with 1009 for a frame of a message that is longer. Call it before anything is read.
 *
 * @param onExceeded called first: `ws` tells only the code.
 */
export function limitFrames(ws: WebSocket, maxBytes: number, onExceeded: () => void): void {
  const receiver = receiverOf(ws);
  const haveLength = receiver.haveLength.bind(receiver);
  receiver.haveLength = (done) => {
    if (receiver._payloadLength <= maxBytes || receiver._opcode >= FIRST_CONTROL) return haveLength(done);
    onExceeded();
    done(receiver.createError(RangeError, 'Max frame size exceeded', false, 1009, 'ERR_FRAME_TOO_LARGE'));
  };
}

const BINARY = 0x02;

/**
 * Gives all fragments of a message but the last one away when they come: that one comes as the message. Limits of messages hold for
 * each of them then. Call it before anything is read.
 */
export function passFragments(ws: WebSocket, onFragment: (data: Buffer, binary: boolean) => void): void {
  const receiver = receiverOf(ws);
  const dataMessage = receiver.dataMessage.bind(receiver);
  receiver.dataMessage = (done) => {
    if (receiver._fin) return dataMessage(done);
    const fragments = receiver._fragments;
    receiver._fragments = [];
    receiver._totalPayloadLength = receiver._messageLength = receiver._numFragments = 0;
    for (const fragment of fragments) onFragment(fragment, receiver._opcode === BINARY);
    dataMessage(done);
  };
}

/** What one message may have from now on when it is inflated, in bytes. */
export function limitInflated(ws: WebSocket, maxBytes: number): void {
  const receiver = receiverOf(ws);
  receiver._maxPayload = maxBytes;
  const deflate = receiver._extensions[DEFLATE];
  if (deflate !== undefined) deflate._maxPayload = maxBytes;
}

/** `ws` has no way to end its work: what it is inflating, and what waits behind, fails as too large. */
export function inflateNoMore(ws: WebSocket): void {
  limitInflated(ws, 1);
}

function receiverOf(ws: WebSocket): Receiver {
  return (ws as unknown as { readonly _receiver: Receiver })._receiver;
}
