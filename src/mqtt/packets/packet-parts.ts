/**
 * Packets with many filters, in parts: each filter is as much work as a message, and with what is retained for it as much as many. A part
 * is worked on like a packet of its own, in turn with all other connections; the last one is without `goesOn`.
 */
import type { ClientPacket } from './packet.js';

/** How many filters a part has: what is retained comes for each. */
const FILTERS_EACH_PART = 1;

/** @returns what is to be worked on first, and what is left of the packet. */
export function partsOf(packet: ClientPacket): readonly [first: ClientPacket, rest: ClientPacket | undefined] {
  if (packet.cmd === 'subscribe' && packet.subscriptions.length > FILTERS_EACH_PART) {
    const { subscriptions } = packet;
    return [
      { ...packet, subscriptions: subscriptions.slice(0, FILTERS_EACH_PART), goesOn: true },
      { ...packet, subscriptions: subscriptions.slice(FILTERS_EACH_PART) },
    ];
  }
  if (packet.cmd === 'unsubscribe' && packet.unsubscriptions.length > FILTERS_EACH_PART) {
    const { unsubscriptions } = packet;
    return [
      { ...packet, unsubscriptions: unsubscriptions.slice(0, FILTERS_EACH_PART), goesOn: true },
      { ...packet, unsubscriptions: unsubscriptions.slice(FILTERS_EACH_PART) },
    ];
  }
  return [packet, undefined];
}
