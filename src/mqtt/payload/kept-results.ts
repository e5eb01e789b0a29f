/** What was made of the payload of an event, kept as long as the payload: a publication to many clients is encoded once. */
import { NO_PAYLOAD } from '../../wamp/payload.js';
import type { Payload } from '../../wamp/payload.js';
import type { OutgoingEvent } from './mapping.js';

/** One for each mapping. */
export class KeptResults<T> {
  /** payload -> what was made of it, and for which topic */
  readonly #results = new WeakMap<Payload, { readonly topic: string; readonly result: T }>();

  /** @returns what was made before, or is made now. Nothing is kept of what throws. */
  of(event: OutgoingEvent, make: () => T): T {
    const { topic, payload } = event;
    const known = this.#results.get(payload);
    if (known?.topic === topic) return known.result;
    const result = make();
    // That one stands for nothing in any event.
    if (payload !== NO_PAYLOAD) this.#results.set(payload, { topic, result });
    return result;
  }
}
