/**
 * Packets of MQTT 3.1 and 3.1.1 as values, as far as they pass through the node, and the error about one that may not. Bytes are in
 * `packet-reader.ts` and `packet-codec.ts`. The names of the fields are those of the package `mqtt-packet`.
 */

import type { Qos } from '../../wamp/message.js';

/** What is published: a message of a client, or its will, when the connection ends without DISCONNECT. */
export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** The first packet of a client. */
export interface ConnectPacket {
  readonly cmd: 'connect';
  /** 3: MQTT 3.1; 4: MQTT 3.1.1. */
  readonly protocolVersion: 3 | 4;
  /** May be empty. */
  readonly clientId: string;
  readonly clean: boolean;
  /** Seconds; 0: none. */
  readonly keepalive: number;
  readonly will?: Message;
  readonly username?: string;
  readonly password?: Buffer;
}

/** A message, either way. */
export interface PublishPacket extends Message {
  readonly cmd: 'publish';
  readonly dup: boolean;
  /** Not 0; undefined with QoS 0. */
  readonly messageId?: number;
}

/** The steps behind a message with QoS 1 (`puback`) and QoS 2 (the others), either way. */
export interface AckPacket {
  readonly cmd: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
  readonly messageId: number;
}

/** A filter, and the most QoS with which the client wants its messages. */
export interface WantedFilter {
  readonly topic: string;
  readonly qos: Qos;
}

export interface SubscribePacket {
  readonly cmd: 'subscribe';
  readonly messageId: number;
  /** Whether it is a part of a packet, and others of it come (`packet-parts.ts`). */
  readonly goesOn?: true;
  readonly subscriptions: readonly WantedFilter[];
}

export interface UnsubscribePacket {
  readonly cmd: 'unsubscribe';
  readonly messageId: number;
  /** As in {@link SubscribePacket}. */
  readonly goesOn?: true;
  readonly unsubscriptions: readonly string[];
}

/** What a client sends. */
export type ClientPacket =
  | ConnectPacket
  | PublishPacket
  | AckPacket
  | SubscribePacket
  | UnsubscribePacket
  | { readonly cmd: 'pingreq' | 'disconnect' };

/** What is answered to a CONNECT (section "Connect Return code"). */
export const ConnectCode = {
  ACCEPTED: 0,
  UNACCEPTABLE_VERSION: 1,
  IDENTIFIER_REJECTED: 2,
  UNAVAILABLE: 3,
  BAD_USER_OR_PASSWORD: 4,
  NOT_AUTHORIZED: 5,
} as const;

/** In a SUBACK: there is no subscription. */
export const SUBSCRIPTION_REFUSED = 0x80;

/** What the node sends. */
export type ServerPacket =
  | { readonly cmd: 'connack'; readonly returnCode: number; readonly sessionPresent: boolean }
  | PublishPacket
  | AckPacket
  /** One code for each filter: the QoS, or {@link SUBSCRIPTION_REFUSED}. */
  | { readonly cmd: 'suback'; readonly messageId: number; readonly granted: readonly number[] }
  | { readonly cmd: 'unsuback'; readonly messageId: number }
  | { readonly cmd: 'pingresp' };

/** The client sent what is no packet, or none that it may send: its connection is cut. The text is for the log. */
export class PacketError extends Error {
  readonly code = 'ERR_MQTT_PACKET';
  override readonly name = 'PacketError';
  /** The code of the CONNACK that goes before the end; undefined: none does. */
  readonly returnCode: number | undefined;
  /** It is a packet, and longer than it may be. */
  readonly isTooLarge: boolean;

  constructor(text: string, options?: ErrorOptions & { readonly returnCode?: number; readonly isTooLarge?: true }) {
    super(text, options);
    this.returnCode = options?.returnCode;
    this.isTooLarge = options?.isTooLarge === true;
  }
}
