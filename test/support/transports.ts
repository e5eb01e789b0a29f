/** The parameter table of the suites that hold on every transport and in every serializer. */
import { BUILT } from './built.js';
import type { SerializerName } from './codec.js';
import type { Daemon } from './daemon.js';
import { LOOPBACK } from './node-config.js';
import { RawSocketClient } from './rawsocket-client.js';
import { WampClient } from './wamp-client.js';

/** What both clients have is enough for most suites; `instanceof` tells them apart. */
export type TransportClient = WampClient | RawSocketClient;

export type TransportName = 'WebSocket' | 'WebSocket, batched' | 'RawSocket';

export interface TransportRow {
  readonly transport: TransportName;
  readonly serializer: SerializerName;
  /** A new connection; no HELLO is sent. */
  readonly connect: (daemon: Daemon) => Promise<TransportClient>;
}

const webSocket = (serializer: SerializerName, batched: boolean): TransportRow => ({
  transport: batched ? 'WebSocket, batched' : 'WebSocket',
  serializer,
  connect: (daemon) => WampClient.connect(daemon.url('/ws', 'ws'), { serializer, batched }),
});

/** The transport that the RawSocket rows need beside the web transport: the second of the node. */
export const RAWSOCKET_TRANSPORTS: readonly object[] = [{ type: 'rawsocket', endpoint: LOOPBACK }];

/** The port of {@link RAWSOCKET_TRANSPORTS}. */
export function rawSocketPort(daemon: Daemon): number {
  return daemon.listening()[1]?.['port'] as number;
}

const rawSocket = (serializer: SerializerName): TransportRow => ({
  transport: 'RawSocket',
  serializer,
  connect: (daemon) => RawSocketClient.connect({ port: rawSocketPort(daemon) }, { serializer }),
});

/** One row per transport and serializer of this build. */
export const TRANSPORTS: readonly TransportRow[] = [
  ...BUILT.serializers.map((serializer) => webSocket(serializer, false)),
  ...BUILT.batched.map((serializer) => webSocket(serializer, true)),
  ...BUILT.serializers.map(rawSocket),
];

/** Those whose frames are single messages: what is sent as octets arrives as one message. */
export const SINGLE_MESSAGE_TRANSPORTS = TRANSPORTS.filter(({ transport }) => transport !== 'WebSocket, batched');
