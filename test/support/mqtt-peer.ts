/**
 * A client of MQTT that does what a test says and nothing else, over TCP or a WebSocket: it may stop reading, keep answers back, and go
 * without a word. Packets are written and read by the package `mqtt-packet`.
 */
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import type { Socket } from 'node:net';
import mqttPacket from 'mqtt-packet';
import type { IConnectPacket, IPublishPacket, Packet } from 'mqtt-packet';
import { WebSocket } from 'ws';
import type { Qos } from '../../src/wamp/message.js';
import { within } from './wamp-client.js';

/** A port of TCP, or the URL of a path. */
export type MqttPlace = number | string;

/** Octets, whatever carries them. */
interface Line {
  send(octets: Buffer): void;
  pause(): void;
  resume(): void;
  /** Goes without a word. */
  drop(): void;
}

const nothing = (): void => undefined;

/** What comes of a line. */
interface Hearer {
  heard(octets: Buffer): void;
  ended(): void;
}

async function openTcp(port: number, hearer: Hearer): Promise<Line> {
  const socket: Socket = connectSocket(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.on('error', () => undefined).on('close', () => hearer.ended());
  socket.on('data', (octets: Buffer) => hearer.heard(octets));
  await within(once(socket, 'connect'), 'a connection');
  return {
    send: (octets) => void socket.write(octets),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    drop: () => void socket.destroy(),
  };
}

async function openWebSocket(url: string, hearer: Hearer, headers: Readonly<Record<string, string>>): Promise<Line> {
  const socket = new WebSocket(url, 'mqtt', { perMessageDeflate: false, headers });
  socket.on('error', () => undefined).on('close', () => hearer.ended());
  socket.on('message', (octets: Buffer) => hearer.heard(octets));
  await within(once(socket, 'open'), 'a WebSocket');
  return {
    send: (octets) => socket.send(octets),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    drop: () => socket.terminate(),
  };
}

/** A message as it came. */
export type Heard = Pick<IPublishPacket, 'topic' | 'qos' | 'dup' | 'retain' | 'messageId'> & {
  readonly payload: Buffer;
};

export class MqttPeer {
  /** Whether it answers messages with PUBACK, PUBREC and PUBCOMP. */
  isAnswering = true;
  isOpen = true;
  /** Resolves when the connection has ended, however it ended. */
  readonly closed: Promise<void>;
  #line: Line = { send: nothing, pause: nothing, resume: nothing, drop: nothing };
  readonly #parser = mqttPacket.parser();
  readonly #packets: Packet[] = [];
  #wake: () => void = nothing;
  #end: () => void = nothing;

  private constructor() {
    this.closed = new Promise<void>((resolve) => (this.#end = resolve));
    this.#parser.on('packet', (packet) => this.#heard(packet));
  }

  /** Opens a connection; nothing is said. @param headers of the handshake of a WebSocket */
  static async open(place: MqttPlace, headers: Readonly<Record<string, string>> = {}): Promise<MqttPeer> {
    const peer = new MqttPeer();
    const hearer = { heard: (octets: Buffer) => void peer.#parser.parse(octets), ended: () => peer.#ended() };
    peer.#line = await (typeof place === 'number' ? openTcp(place, hearer) : openWebSocket(place, hearer, headers));
    return peer;
  }

  /** {@link open} and {@link connect}. */
  static async join(place: MqttPlace, options: Partial<IConnectPacket> = {}): Promise<MqttPeer> {
    const peer = await MqttPeer.open(place);
    const { returnCode } = await peer.connect(options);
    if (returnCode !== 0) throw new Error(`refused with ${String(returnCode)}`);
    return peer;
  }

  send(...packets: readonly Packet[]): void {
    for (const packet of packets) this.#line.send(mqttPacket.generate(packet));
  }

  sendOctets(octets: Buffer): void {
    this.#line.send(octets);
  }

  async connect(options: Partial<IConnectPacket> = {}): Promise<Packet & { readonly cmd: 'connack' }> {
    this.send(connectPacket(options));
    return this.take('connack');
  }

  /** @returns what is granted. */
  async subscribe(filter: string, qos: Qos): Promise<readonly unknown[]> {
    this.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: filter, qos }] });
    return (await this.take('suback')).granted;
  }

  /** The next packet of a kind; the others wait until they are asked for. @throws when the connection has ended without it */
  async take<C extends Packet['cmd']>(cmd: C): Promise<Packet & { readonly cmd: C }> {
    const isThat = (packet: Packet): packet is Packet & { readonly cmd: C } => packet.cmd === cmd;
    const come = async (): Promise<Packet & { readonly cmd: C }> => {
      for (;;) {
        const found = this.#packets.find(isThat);
        if (found !== undefined) {
          this.#packets.splice(this.#packets.indexOf(found), 1);
          return found;
        }
        if (!this.isOpen) throw new Error(`the connection ended, and ${cmd} was expected`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    return within(come(), cmd);
  }

  /** The next message. */
  async message(): Promise<Heard> {
    const { topic, qos, dup, retain, messageId, payload } = await this.take('publish');
    return { topic, qos, dup, retain, ...(messageId !== undefined && { messageId }), payload: Buffer.from(payload) };
  }

  /** Waits until the node has taken all that was said before. */
  async settle(): Promise<void> {
    this.send({ cmd: 'pingreq' });
    await this.take('pingresp');
  }

  /** What came and was not asked for. */
  get rest(): readonly Packet[] {
    return this.#packets;
  }

  stopReading(): void {
    this.#line.pause();
  }

  readAgain(): void {
    this.#line.resume();
  }

  /** DISCONNECT, and the end of the connection. */
  async leave(): Promise<void> {
    this.send({ cmd: 'disconnect' });
    await within(this.closed, 'the end of the connection');
  }

  /** The connection ends without a word. */
  async drop(): Promise<void> {
    this.#line.drop();
    await within(this.closed, 'the end of the connection');
  }

  #heard(packet: Packet): void {
    this.#packets.push(packet);
    if (this.isAnswering) this.#answer(packet);
    this.#wake();
  }

  #answer(packet: Packet): void {
    const { messageId = 0 } = packet;
    if (packet.cmd === 'publish' && packet.qos === 1) this.send({ cmd: 'puback', messageId });
    if (packet.cmd === 'publish' && packet.qos === 2) this.send({ cmd: 'pubrec', messageId });
    if (packet.cmd === 'pubrel') this.send({ cmd: 'pubcomp', messageId });
    if (packet.cmd === 'pubrec') this.send({ cmd: 'pubrel', messageId });
  }

  #ended(): void {
    this.isOpen = false;
    this.#end();
    this.#wake();
  }
}

/** A CONNECT. */
export function connectPacket(options: Partial<IConnectPacket> = {}): IConnectPacket {
  return {
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0, clientId: '' },
    ...options,
  };
}

/** @param messageId not with QoS 0 */
export function publishPacket(topic: string, payload: Buffer | string, qos: Qos = 0, messageId = 1): IPublishPacket {
  return { cmd: 'publish', topic, payload, qos, dup: false, retain: false, ...(qos > 0 && { messageId }) };
}
