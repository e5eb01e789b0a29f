/** Opens WAMP over a WebSocket, as a client. */
import { WebSocket } from 'ws';

import { SERIALIZERS, subprotocolOf } from '../serializer/registry.js';
import type { SerializerTypes } from '../serializer/registry.js';
import type { Framing, Serializer } from '../serializer/serializer.js';
import { messageOf } from '../system/error.js';
import { ConnectError, dial } from './dial.js';
import { endpointOf, endpointText } from './endpoint.js';
import type { ConnectionReceiver, RouterConnection } from './connection.js';
import type { WebSocketClientConfig } from './transport-schema.js';

/** `ws` writes the head of a frame itself, and masks what a client sends. */
const NO_FRAMING: Framing = { headerBytes: () => 0, writeHeader: () => undefined };

/** Binary ones are smaller, and keep all values. */
const PREFERRED = ['cbor', 'msgpack', 'json'];

/** @throws ConnectError (rejects). */
export async function openWebSocket(
  config: WebSocketClientConfig,
  receiver: ConnectionReceiver,
): Promise<RouterConnection> {
  const spoken = serializersOf(config.serializers ?? PREFERRED);
  const endpoint = endpointOf(config);
  const socket = await dial(endpoint);
  const { max_message_size: maxPayload, open_handshake_timeout: timeoutMs } = config.options;
  const webSocket = new WebSocket(config.url, [...spoken.keys()], {
    // Connected, and encrypted where it is to be.
    createConnection: () => socket,
    perMessageDeflate: false,
    maxPayload,
  });
  try {
    await opened(webSocket, timeoutMs);
  } catch (cause) {
    socket.destroy();
    const problem = `the WebSocket handshake for ${shownUrl(config.url)} failed: ${handshakeProblem(cause)}`;
    throw new ConnectError(`cannot connect to ${endpointText(endpoint)}: ${problem}`, { cause });
  }
  const serializer = spoken.get(webSocket.protocol);
  if (serializer === undefined) {
    webSocket.terminate();
    throw new ConnectError(`the router chose "${webSocket.protocol}", which was not offered`);
  }
  return carry(webSocket, serializer, receiver, config.options);
}

/** @returns a URL as it may be logged: there may be a ticket in its query, or a password. */
function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** @returns subprotocol -> serializer, in order */
function serializersOf(words: readonly string[]): ReadonlyMap<string, Serializer> {
  const known = SERIALIZERS as SerializerTypes;
  const serializers = words.flatMap((word) => known[word]?.single ?? []);
  if (serializers.length === 0) throw new ConnectError(`none of the serializers is known here: ${words.join(', ')}`);
  return new Map(serializers.map((serializer) => [subprotocolOf(serializer), serializer]));
}

function opened(webSocket: WebSocket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // It stays: the end of an attempt may be told twice.
    webSocket.on('error', reject);
    // `ws` watches over sockets only that it has opened itself.
    const late = (): void => reject(new Error('no answer in time'));
    const timer = timeoutMs === 0 ? undefined : setTimeout(late, timeoutMs);
    webSocket.once('open', resolve);
    webSocket.once('open', () => clearTimeout(timer)).once('error', () => clearTimeout(timer));
  });
}

function handshakeProblem(cause: unknown): string {
  const text = messageOf(cause);
  const status = /^Unexpected server response: (\d+)$/.exec(text)?.[1];
  if (status !== undefined) return `the server answered with HTTP status ${status}`;
  if (text === 'Server sent no subprotocol') return 'the server chose none of the serializers';
  return text === 'socket hang up' ? 'the server closed the connection' : text;
}

function carry(
  webSocket: WebSocket,
  serializer: Serializer,
  receiver: ConnectionReceiver,
  options: WebSocketClientConfig['options'],
): RouterConnection {
  let problem: string | undefined;
  const heartbeat = beat(webSocket, options, () => {
    problem = 'the router did not answer a ping in time';
    webSocket.terminate();
  });
  webSocket.on('message', (data: Buffer) => receiver.onMessage(data));
  webSocket.on('error', (error) => (problem ??= messageOf(error)));
  webSocket.once('close', (code, reason) => {
    heartbeat();
    if (code !== 1000 && code !== 1005) problem ??= `the WebSocket was closed with code ${code}${textOf(reason)}`;
    receiver.onClose(problem);
  });
  return {
    serializer,
    framing: NO_FRAMING,
    maxSendBytes: Infinity,
    send: (frame) => {
      if (webSocket.readyState === WebSocket.OPEN) webSocket.send(frame, { binary: serializer.binary });
    },
    close: () => webSocket.close(1000),
  };
}

function textOf(reason: Buffer): string {
  return reason.length === 0 ? '' : ` (${reason.toString('utf8')})`;
}

/** Pings; anything that comes is a sign of life. @returns what ends it */
function beat(
  webSocket: WebSocket,
  { auto_ping_interval: intervalMs, auto_ping_timeout: timeoutMs }: WebSocketClientConfig['options'],
  onSilence: () => void,
): () => void {
  if (intervalMs === 0) return () => undefined;
  let deadline: NodeJS.Timeout | undefined;
  const alive = (): void => {
    clearTimeout(deadline);
    deadline = undefined;
  };
  webSocket.on('pong', alive).on('ping', alive).on('message', alive);
  const timer = setInterval(() => {
    webSocket.ping();
    if (timeoutMs !== 0) deadline ??= setTimeout(onSilence, timeoutMs);
  }, intervalMs);
  return () => {
    clearInterval(timer);
    alive();
  };
}
