/** The octets of a plain connection: TCP, TLS, or a socket of the file system. */
import type { Socket } from 'node:net';
import { clientInfoOf, clientOf } from '../peer.js';
import type { ClientInfo } from '../../auth/method.js';
import type { Frame } from '../../serializer/serializer.js';
import type { TransportFacts } from '../../session/transport.js';
import type { OctetReader, OctetStream } from './octet-stream.js';

/** A socket as a stream of octets. It is read from {@link SocketOctets.start} on. */
export class SocketOctets implements OctetStream {
  readonly socket: Socket;
  readonly client: ClientInfo;
  readonly sender = undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.client = clientOf(socket);
  }

  framed(octets: Frame): Frame {
    return octets;
  }

  factsOf(peer: string, framing: NonNullable<TransportFacts['channel_framing']>): TransportFacts {
    return clientInfoOf(this.socket, peer, framing);
  }

  start(reader: OctetReader): void {
    this.socket.on('data', (chunk: Buffer) => reader.receive(chunk)).on('close', () => reader.closed());
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Only a socket that is read tells that the client has closed, too. */
  close(): void {
    this.socket.resume().end();
  }

  /** There is no word for it. */
  evict(): void {
    this.socket.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
