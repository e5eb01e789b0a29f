/** Opens WAMP over a RawSocket (section "RawSocket Transport"), as a client. */
import type { Socket } from 'node:net';

import { SERIALIZERS } from '../serializer/registry.js';
import type { SerializerTypes } from '../serializer/registry.js';
import { messageOf } from '../system/error.js';
import { controlFrame, FrameType, MAX_FRAME_BYTES, RAWSOCKET_FRAMING } from '../transport/rawsocket/framing.js';
import { announcedLimit, HANDSHAKE_BYTES, MAGIC } from '../transport/rawsocket/handshake.js';
import { RawSocketReader } from '../transport/rawsocket/reader.js';
import { ConnectError, dial } from './dial.js';
import { endpointOf, endpointText } from './endpoint.js';
import type { ConnectionReceiver, RouterConnection } from './connection.js';
import type { RawSocketClientConfig } from './transport-schema.js';

/** How long the router may take for its four octets. */
const HANDSHAKE_MS = 10_000;
const LEAST_EXPONENT = 9;

/** What the router may answer instead of an agreement. */
const REFUSALS = [
  '',
  'it does not know the serializer',
  'it does not take such a length limit',
  'reserved bits',
  'it has too many connections',
];

/** @throws ConnectError (rejects). */
export async function openRawSocket(
  config: RawSocketClientConfig,
  receiver: ConnectionReceiver,
): Promise<RouterConnection> {
  const word = config.serializer ?? config.serializers?.[0] ?? 'cbor';
  const { single: serializer, rawSocketId } = (SERIALIZERS as SerializerTypes)[word] ?? {};
  if (serializer === undefined || rawSocketId === undefined) {
    throw new ConnectError(`the serializer "${word}" is not spoken on RawSockets here`);
  }
  const endpoint = endpointOf(config);
  const maxReceiveBytes = announcedLimit(Math.min(config.options.max_message_size, MAX_FRAME_BYTES));
  const socket = await dial(endpoint);
  socket.write(Buffer.of(MAGIC, ((Math.log2(maxReceiveBytes) - LEAST_EXPONENT) << 4) | rawSocketId, 0, 0));
  try {
    const { maxSendBytes, rest } = await agreement(socket, rawSocketId);
    const connection = { serializer, framing: RAWSOCKET_FRAMING, maxSendBytes };
    return { ...connection, ...carry(socket, rest, maxReceiveBytes, receiver) };
  } catch (cause) {
    socket.destroy();
    const problem = `the RawSocket handshake failed: ${messageOf(cause)}`;
    throw new ConnectError(`cannot connect to ${endpointText(endpoint)}: ${problem}`, { cause });
  }
}

interface Agreement {
  readonly maxSendBytes: number;
  /** What came behind it. */
  readonly rest: Buffer;
}

async function agreement(socket: Socket, rawSocketId: number): Promise<Agreement> {
  const bytes = await firstBytes(socket);
  const answer = bytes.readUInt8(1);
  if (bytes.readUInt8(0) !== MAGIC) throw new Error('the server does not speak RawSocket');
  if ((answer & 0x0f) === 0)
    throw new Error(`the server refuses: ${REFUSALS[answer >>> 4] ?? `error ${answer >>> 4}`}`);
  if ((answer & 0x0f) !== rawSocketId) throw new Error('the server answers with another serializer');
  return { maxSendBytes: 2 ** (LEAST_EXPONENT + (answer >>> 4)), rest: bytes.subarray(HANDSHAKE_BYTES) };
}

/** @returns four bytes at least */
function firstBytes(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < HANDSHAKE_BYTES) return;
      // What comes next waits until somebody listens again.
      socket.pause();
      settle(() => resolve(bytes));
    };
    const onEnd = (): void => settle(() => reject(new Error('the server closed the connection')));
    const onError = (error: Error): void => settle(() => reject(error));
    const timer = setTimeout(() => settle(() => reject(new Error('no answer in time'))), HANDSHAKE_MS);
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onEnd).off('error', onError);
      done();
    };
    socket.on('data', onData).once('close', onEnd).once('error', onError);
  });
}

function carry(
  socket: Socket,
  rest: Buffer,
  maxReceiveBytes: number,
  receiver: ConnectionReceiver,
): Pick<RouterConnection, 'send' | 'close'> {
  let problem: string | undefined;
  const reader = new RawSocketReader(maxReceiveBytes, {
    onMessage: (payload) => receiver.onMessage(payload),
    onPing: (payload) => void socket.write(controlFrame(FrameType.PONG, payload)),
    onPong: () => undefined,
    // It is we who have chosen the router.
    mayBeLarge: () => true,
    holds: () => undefined,
    onBadFrame: (reason) => {
      problem = reason;
      socket.destroy();
    },
  });
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  socket.on('error', (error) => (problem ??= messageOf(error)));
  socket.once('close', () => {
    reader.stop();
    receiver.onClose(problem);
  });
  // In a later turn: nobody has the connection yet.
  setImmediate(() => {
    if (rest.length > 0) reader.push(rest);
    socket.resume();
  });
  return {
    send: (frame) => {
      if (socket.writable) socket.write(frame);
    },
    close: () => void socket.end(),
  };
}
