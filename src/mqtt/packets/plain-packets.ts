/**
 * The packets that come most often, read without the package `mqtt-packet`: messages, their answers, pings and the end. A packet of
 * which anything is unusual is left to `packet-check.ts` and the package, which accept or refuse it; what is read here they would read
 * in the same way. For one message the package takes three times as long as all the rest of the node.
 */
import { isUtf8 } from 'node:buffer';
import type { Qos } from '../../wamp/message.js';
import type { AckPacket, ClientPacket, PublishPacket } from './packet.js';

/** The first octet of packets without flags of their own (MQTT 3.1.1, section 2.2.2). */
const First = { PUBACK: 0x40, PUBREC: 0x50, PUBREL: 0x62, PUBCOMP: 0x70, PINGREQ: 0xc0, DISCONNECT: 0xe0 } as const;

const PUBLISH = 3;
const QOS: readonly Qos[] = [0, 1, 2];
const RETAIN = 0x01;
const DUP = 0x08;

const ASCII_END = 0x80;
const PLUS = 0x2b;
const NUMBER_SIGN = 0x23;

const PING: ClientPacket = Object.freeze({ cmd: 'pingreq' });
const DISCONNECT: ClientPacket = Object.freeze({ cmd: 'disconnect' });

/**
 * @param at where the packet begins
 * @param start where its fields begin
 * @param end of the packet; the bytes have it all
 * @returns undefined for what is none of these packets, or not plainly right.
 */
export function plainPacket(bytes: Buffer, at: number, start: number, end: number): ClientPacket | undefined {
  const first = bytes[at] ?? 0;
  if (first >> 4 === PUBLISH) return publish(bytes, first, start, end);
  switch (first) {
    case First.PUBACK:
      return answer('puback', bytes, start, end);
    case First.PUBREC:
      return answer('pubrec', bytes, start, end);
    case First.PUBREL:
      return answer('pubrel', bytes, start, end);
    case First.PUBCOMP:
      return answer('pubcomp', bytes, start, end);
    case First.PINGREQ:
      return start === end ? PING : undefined;
    case First.DISCONNECT:
      return start === end ? DISCONNECT : undefined;
    default:
      return undefined;
  }
}

function answer(cmd: AckPacket['cmd'], bytes: Buffer, start: number, end: number): AckPacket | undefined {
  const messageId = end - start === 2 ? uint16(bytes, start) : 0;
  return messageId === 0 ? undefined : { cmd, messageId };
}

function publish(bytes: Buffer, first: number, start: number, end: number): PublishPacket | undefined {
  const qos = QOS[(first >> 1) & 3];
  if (qos === undefined || end - start < 2) return undefined;
  const topicStart = start + 2;
  const topicEnd = topicStart + uint16(bytes, start);
  const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
  if (payloadStart > end) return undefined;
  const topic = topicIn(bytes, topicStart, topicEnd);
  if (topic === undefined) return undefined;
  const payload = bytes.subarray(payloadStart, end);
  const [retain, dup] = [(first & RETAIN) !== 0, (first & DUP) !== 0];
  if (qos === 0) return { cmd: 'publish', topic, payload, qos, retain, dup };
  const messageId = uint16(bytes, topicEnd);
  return messageId === 0 ? undefined : { cmd: 'publish', topic, payload, qos, retain, dup, messageId };
}

/** @returns undefined where it is empty, has a NUL or a wildcard in it, or is no UTF-8. */
function topicIn(bytes: Buffer, start: number, end: number): string | undefined {
  if (start === end) return undefined;
  let isAscii = true;
  for (let at = start; at < end; at += 1) {
    const octet = bytes[at] ?? 0;
    if (octet === 0 || octet === PLUS || octet === NUMBER_SIGN) return undefined;
    if (octet >= ASCII_END) isAscii = false;
  }
  if (isAscii) return bytes.toString('latin1', start, end);
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : undefined;
}

/** @param at there are two octets. */
function uint16(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
