/** Procedures make the payloads: a decoder for what comes in, an encoder for what goes out. They are called in the realm. */
import { jsonForm } from '../../serializer/json.js';
import { publicationFrom } from './dictionary.js';
import { KeptResults } from './kept-results.js';
import { PayloadError } from './mapping.js';
import { values } from './native.js';
import type { Payload } from '../../wamp/payload.js';
import type { IncomingMessage, OutgoingEvent, PayloadMapping } from './mapping.js';

/**
 * Calls a procedure.
 * @returns its result.
 * Rejects with a CallFault for an ERROR, and when there is no answer within {@link DYNAMIC_TIMEOUT_MS}.
 */
export type CallProcedure = (procedure: string, args: readonly unknown[]) => Promise<Pick<Payload, 'args' | 'kwargs'>>;

/** So long an encoder or decoder may take, in milliseconds. All that comes behind waits. */
export const DYNAMIC_TIMEOUT_MS = 5000;

/** So many calls may wait for one mapping, and so much in what they are called with. More is dropped. */
export const MAX_CALLS = 1000;
const MAX_CALL_BYTES = 67_108_864;

/** What the config says. */
export interface DynamicOptions {
  readonly encoder: string;
  readonly decoder: string;
  readonly call: CallProcedure;
  /** How a procedure learns of a topic: as its URI. */
  readonly uriOf: (topic: string) => string;
}

/** The config word `dynamic`. */
export function dynamicMapping({ encoder, decoder, call, uriOf }: DynamicOptions): PayloadMapping {
  const kept = new KeptResults<Promise<Buffer>>();
  const calls = new Calls(call);
  return {
    async decode({ topic, payload }: IncomingMessage) {
      const result = await calls.resultOf(decoder, [uriOf(topic), topic, payload], payload.length);
      return publicationFrom(result, jsonForm);
    },
    encode: (event) => kept.of(event, () => encoded(event)),
  };

  async function encoded({ topic, payload }: OutgoingEvent): Promise<Buffer> {
    const { args, kwargs = {} } = values(payload);
    const result = await calls.resultOf(encoder, [uriOf(topic), topic, args, kwargs], payload.byteLength ?? 0);
    if (typeof result === 'string') return Buffer.from(result);
    if (result instanceof Uint8Array) return Buffer.from(result);
    throw new PayloadError(`the result of ${encoder} is no byte string`);
  }
}

/** Of one mapping. What procedures do not answer in time must not pile up. */
class Calls {
  readonly #call: CallProcedure;
  #waiting = 0;
  #bytes = 0;

  constructor(call: CallProcedure) {
    this.#call = call;
  }

  /**
   * @param bytes of the arguments, about
   * @returns the first value of the result.
   * @throws PayloadError (rejects)
   */
  async resultOf(procedure: string, args: readonly unknown[], bytes: number): Promise<unknown> {
    if (this.#waiting >= MAX_CALLS || (this.#waiting > 0 && this.#bytes + bytes > MAX_CALL_BYTES)) {
      throw new PayloadError(`too many calls of ${procedure} wait`);
    }
    this.#waiting += 1;
    this.#bytes += bytes;
    try {
      return (await this.#call(procedure, args)).args[0];
    } catch (cause) {
      throw new PayloadError(`${procedure} failed`, { cause });
    } finally {
      this.#waiting -= 1;
      this.#bytes -= bytes;
    }
  }
}
