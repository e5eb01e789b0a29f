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
  return {
    async decode({ topic, payload }: IncomingMessage) {
      const [result] = await resultOf(decoder, call(decoder, [uriOf(topic), topic, payload]));
      return publicationFrom(result, jsonForm);
    },
    encode: (event) => kept.of(event, () => encoded(event)),
  };

  async function encoded({ topic, payload }: OutgoingEvent): Promise<Buffer> {
    const { args, kwargs = {} } = values(payload);
    const [result] = await resultOf(encoder, call(encoder, [uriOf(topic), topic, args, kwargs]));
    if (typeof result === 'string') return Buffer.from(result);
    if (result instanceof Uint8Array) return Buffer.from(result);
    throw new PayloadError(`the result of ${encoder} is no byte string`);
  }
}

async function resultOf(
  procedure: string,
  call: Promise<Pick<Payload, 'args' | 'kwargs'>>,
): Promise<readonly unknown[]> {
  try {
    return (await call).args;
  } catch (cause) {
    throw new PayloadError(`${procedure} failed`, { cause });
  }
}
