/**
 * What a payload mapping is: from the bytes of MQTT to what WAMP carries, and back. The three kinds stand in files beside this one;
 * `mappings.ts` chooses by the URI. A mapping knows neither clients nor sessions.
 */
import type { Dict, Payload } from '../../wamp/payload.js';

/** A message of MQTT, as far as its payload depends on it. */
export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Buffer;
}

/** What is published for it. */
export interface Publication {
  /** Options of the PUBLISH, such as `exclude`; not checked further than for their types. */
  readonly options: Dict;
  readonly payload: Payload;
}

/** An event of WAMP, or of another client of MQTT. */
export interface OutgoingEvent {
  readonly topic: string;
  readonly payload: Payload;
}

/** One way. Both directions may wait; who asks keeps the order (`in-order.ts`). */
export interface PayloadMapping {
  /** @throws PayloadError, or rejects with one: the message is dropped. */
  decode(message: IncomingMessage): Publication | Promise<Publication>;
  /**
   * The payload object is the key under which a result may be kept: events of one publication share it.
   * @throws PayloadError, or rejects with one: the event is dropped.
   */
  encode(event: OutgoingEvent): Buffer | Promise<Buffer>;
}

/** A payload has no place on the other side: it is dropped for those who cannot take it. The text is for the log. */
export class PayloadError extends Error {
  readonly code = 'ERR_MQTT_PAYLOAD';
  override readonly name = 'PayloadError';
}
