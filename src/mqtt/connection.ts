/**
 * One network connection of a client: the octets that come go to the session of the client, packet by packet (`packet-inbox.ts`), and
 * frames of the session go out. What carries the octets is an `OctetStream`. What the packets mean is not known here, but for the first
 * one.
 *
 *     waiting for CONNECT --> opening --CONNACK 0--> let in --> closing --> gone
 *              |                 |                     |           ^
 *              +-- hello_timeout, wrong octets, refused, silent ---+
 *
 * What a client that was let in has sent before its end is handed on before its end is told; of a stranger it is dropped.
 */
import type { Socket } from 'node:net';
import { LargeFrame } from '../serializer/large-frame.js';
import { textOf, TOO_MANY_LARGE } from '../transport/endings.js';
import { turns } from '../transport/fair-scheduler.js';
import { openConnections } from '../transport/open-connections.js';
import { Outbox } from '../transport/outbox/outbox.js';
import { receivedMemory } from '../transport/received-memory.js';
import { PacketInbox } from './packets/packet-inbox.js';
import type { ClientInfo } from '../auth/method.js';
import type { Frame } from '../serializer/serializer.js';
import type { CloseCause, TransportFacts } from '../session/transport.js';
import type { Fault } from '../transport/endings.js';
import type { OctetReader, OctetStream } from '../transport/octets/octet-stream.js';
import type { OutboxOwner } from '../transport/outbox/outbox.js';
import type { Receiving } from '../transport/received-memory.js';
import type { HostedTransport, TransportHost } from '../transport/transport-host.js';
import type { MessageSender } from '../transport/wire.js';
import type { MqttClients } from './clients.js';
import type { MqttLink } from './deps.js';
import type { KeepAlives } from './keep-alives.js';
import type { MqttSession } from './mqtt-session.js';
import type { ClientPacket, PacketError } from './packets/packet.js';
import type { PacketCodec } from './packets/packet-codec.js';
import type { PacketReceiver } from './packets/packet-inbox.js';
import type { PacketLimits } from './packets/packet-reader.js';

/** What the connections of one acceptor share. */
export interface ConnectionParts {
  readonly host: TransportHost;
  readonly clients: MqttClients;
  readonly codec: PacketCodec;
  readonly limits: PacketLimits;
  readonly keepAlives: KeepAlives<MqttConnection>;
}

/** The connection of one client. Its host is told of it by whoever makes it (`TransportHost.opened`), and hears of its end from it. */
export class MqttConnection implements MqttLink, HostedTransport, PacketReceiver, OctetReader, OutboxOwner, Receiving {
  readonly client: ClientInfo;
  readonly counted: Socket;
  /** Nobody calls it, and what it waits for outlives its connection. */
  readonly isCallee = false;
  readonly isBusy = false;
  active = false;
  ending: HostedTransport['ending'];
  readonly #octets: OctetStream;
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  readonly #host: TransportHost;
  readonly #inbox: PacketInbox;
  readonly #outbox: Outbox;
  /** From CONNECT on, until one of the two has ended. */
  #session: MqttSession | undefined;
  #isLetIn = false;
  /** As CONNECT says, in seconds. */
  #keepAlive = 0;
  /** Nothing is sent any more, and what comes is dropped. */
  #isClosing = false;
  #isClosed = false;
  #isGone = false;

  constructor(octets: OctetStream, parts: ConnectionParts) {
    const { socket } = octets;
    this.#octets = octets;
    this.#socket = this.counted = socket;
    this.#parts = parts;
    this.#host = parts.host;
    this.client = octets.client;
    this.#inbox = new PacketInbox(parts.codec.reader(parts.limits), this, turns);
    this.#outbox = new Outbox(socket, this.#host.unsent, this);
    openConnections.waits(socket);
    this.#host.awaitHello(this);
    octets.start(this);
  }

  // What the session asks for.

  get facts(): TransportFacts {
    return this.#octets.factsOf(this.peer, 'mqtt');
  }

  get waitingBytes(): number {
    return this.#outbox.unsentBytes;
  }

  send(packet: Frame, isVital: boolean): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    this.#host.counts.sentBytes += packet.length;
    const { sender } = this.#octets;
    if (sender === undefined) this.#outbox.write(this.#octets.framed(packet), !isVital);
    else this.#sendBy(sender, packet, !isVital);
  }

  opened(): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#isLetIn = true;
    openConnections.inUse(this.#socket);
    this.#host.gotHello(this);
    this.#parts.keepAlives.join(this, this.#keepAlive);
  }

  end(text: string, cause?: CloseCause): void {
    const who = this.#who(text);
    this.#session = undefined;
    if (this.#isClosing) return;
    if (cause !== undefined) {
      this.ending ??= cause;
      this.#host.ended(cause, who);
    }
    this.#finish(cause ?? 'goodbye', text);
  }

  pauseReading(): void {
    this.#inbox.hold();
  }

  resumeReading(): void {
    this.#inbox.release();
  }

  // What the host asks for.

  get peer(): string {
    return this.client.peer;
  }

  get paused(): boolean {
    return !this.#inbox.isReading;
  }

  /** Of what carries the octets: with MQTT it is the client who pings. It is no sign of life. */
  ping(frame: Buffer): void {
    if (!this.#isClosing) this.#outbox.write(frame);
  }

  helloOverdue(timeoutMs: number): void {
    if (this.#session === undefined) this.end(`no CONNECT within ${timeoutMs} ms`, 'timeout');
    else this.#session.overdue(timeoutMs);
  }

  close(cause: CloseCause, text: string): void {
    this.end(text, cause);
  }

  /** There is one session for each connection. */
  rested(): void {
    return;
  }

  shutdown(): void {
    if (this.#session === undefined) this.end('the router is shutting down', 'system_shutdown');
    else this.#session.shutdown();
  }

  /** There is no word of MQTT for it before CONNACK. */
  evict(text: string): void {
    this.ending ??= 'evicted';
    this.#stop();
    this.#octets.evict(text);
  }

  cut(fault: Fault): void {
    if (this.#isClosing) return;
    this.ending ??= fault;
    this.#host.ended(fault, this.#who());
    this.terminate();
  }

  terminate(): void {
    this.#stop();
    if (this.#isClosed) this.#gone();
    else this.#octets.destroy();
  }

  /** Nothing came for too long; as long as it is not read, that is not its fault. */
  silent(): void {
    if (!this.paused) this.cut('silent');
  }

  // What the outbox asks for.

  warn(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.#host.log.warn({ ...this.#reading(), ...facts }, message);
  }

  eventDropped(isFirst: boolean): void {
    this.#host.counts.slowDropping += isFirst ? 1 : 0;
    this.#session?.eventDropped();
  }

  giveUp(facts = {}): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    this.#host.repeated.say('warn', { ...this.#reading(), ...facts }, 'slow consumer disconnected');
    this.cut('slow_consumer');
  }

  get unsentBytes(): number | undefined {
    return this.#octets.sender?.bufferedAmount;
  }

  /** See {@link receivedMemory}. */
  giveUpReceiving(): void {
    this.#breakOff('too_many_large', TOO_MANY_LARGE);
  }

  // What the octets tell, and ask for.

  get isOpening(): boolean {
    return !this.#isLetIn;
  }

  receive(chunk: Buffer): void {
    this.active = true;
    if (this.#isClosing) return;
    this.#host.counts.receivedBytes += chunk.length;
    if (this.#isLetIn) this.#parts.keepAlives.seen(this, this.#keepAlive);
    this.#inbox.push(chunk);
  }

  reply(frame: Buffer): void {
    this.active = true;
    this.ping(frame);
  }

  ponged(): void {
    this.#host.gotPong(this);
  }

  /** It may be the answer to our end. */
  ends(answer: () => void): void {
    const closed = (): void => {
      this.#outbox.flush();
      answer();
    };
    if (this.#isLetIn) this.#inbox.finish(closed);
    else closed();
  }

  failed(fault: Fault, reason: string): void {
    if (this.#isClosing) return;
    if (this.#isLetIn) this.#inbox.finish(() => this.#breakOff(fault, reason));
    else this.#breakOff(fault, reason);
  }

  closed(): void {
    this.#isClosed = true;
    this.#outbox.closed();
    if (this.#isLetIn) this.#inbox.finish(() => this.#gone());
    else this.#gone();
  }

  // What the inbox asks for.

  take(packet: ClientPacket): void {
    const session = this.#session;
    try {
      if (packet.cmd !== 'connect') return session?.receive(packet);
      this.#keepAlive = packet.keepalive;
      const opening = this.#parts.clients.connect(packet, this);
      // It may have been refused at once.
      if (!this.#isClosing) this.#session = opening;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A fault of ours: it ends this session, and no other. */
  #failed(error: unknown): void {
    if (this.#session !== undefined) return this.#session.fail(error);
    this.#host.log.error({ ...this.#who(), err: error }, 'internal error');
    this.end('internal error', 'internal_error');
  }

  broken({ message, returnCode, isTooLarge }: PacketError): void {
    if (returnCode !== undefined) {
      this.send(this.#parts.codec.encode({ cmd: 'connack', returnCode, sessionPresent: false }), true);
    }
    this.#breakOff(isTooLarge ? 'packet_too_large' : 'bad_frame', message);
  }

  stopReading(): void {
    this.#octets.pause();
  }

  startReading(): void {
    this.#octets.resume();
  }

  /** See {@link receivedMemory}. */
  holds(bytes: number): void {
    receivedMemory.hold(this, bytes);
  }

  #sendBy(sender: MessageSender, packet: Frame, isEvent: boolean): void {
    if (!this.#outbox.takes(sender.bufferedAmount, isEvent, packet.length)) return;
    turns.note(packet.length);
    const message = packet instanceof LargeFrame ? packet.joined() : packet;
    const kept = sender.send(message, { binary: true });
    this.#outbox.sentElsewhere(Buffer.isBuffer(kept) ? kept : message);
  }

  // Its end.

  /** What the client has sent is wrong. */
  #breakOff(fault: Fault, reason: string): void {
    this.ending ??= fault;
    this.#host.ended(fault, this.#who(reason));
    const session = this.#session;
    this.#session = undefined;
    this.#finish(fault, textOf(fault));
    session?.lost(textOf(fault));
  }

  /** All that was sent goes out first. */
  #finish(cause: CloseCause | Fault, text = ''): void {
    this.#outbox.flush();
    this.#stop();
    if (this.#isClosed) return this.#gone();
    this.#octets.close(cause, text);
    this.#host.awaitClose(this);
  }

  #stop(): void {
    this.#isClosing = true;
    this.#inbox.stop();
    this.#parts.keepAlives.leave(this, this.#isLetIn ? this.#keepAlive : 0);
    this.#isLetIn = false;
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const session = this.#session;
    this.#session = undefined;
    this.#stop();
    session?.lost(textOf(this.ending));
    this.client.liveCookie?.left();
    this.#host.closed(this);
  }

  #who(reason?: string): Readonly<Record<string, unknown>> {
    return { peer: this.peer, sessionId: (this.#session?.id ?? 0) || undefined, reason };
  }

  /** Who reads too slowly, and what the measure is. */
  #reading(): Readonly<Record<string, unknown>> {
    return { ...this.#who(), maxUnsentBytes: this.#host.unsent.maxUnsentBytes };
  }
}
