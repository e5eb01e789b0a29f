/**
 * Payloads in the form in which a client sent them. Between peers of the same serializer this form travels unchanged;
 * for a peer of another one it is translated: the reader of one form passes it to the writer of the other, and the result
 * is kept, so that a publication to a thousand subscribers is translated once.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { ValueCounter } from './value-counter.js';
import type { Steps, ValueSink } from './value-sink.js';
import type { Dict, Payload } from '../wamp/payload.js';

/** How deep lists and dictionaries may lie in each other; Arguments and ArgumentsKw are the first level. */
export const MAX_NESTING = 64;

/**
 * The most that is translated while others wait: text beyond ASCII takes 13 ms for each MiB. Large messages have their translations
 * with them already (`translations.ts`).
 */
const MAX_TRANSLATED_BYTES = 2_097_152;
const TOO_LARGE = `a payload of more than ${MAX_TRANSLATED_BYTES} bytes is not translated for a client with another serializer`;

/** Writes values in one form. One constant object per form: it is the key under which results are kept. */
export interface PayloadForm<P extends WirePayload> {
  /** The config word of its serializers. */
  readonly type: string;
  /** @throws WampError `wamp.error.invalid_argument` when the values have no place in this form. */
  write(elements: readonly unknown[]): P;
  /**
   * Does the same for a payload in another form, without building its values.
   * @param steps those that it may take; by default as many as others can wait for
   * @throws WampError `wamp.error.payload_size_exceeded` besides, when that would take too long.
   */
  translate(payload: WirePayload, steps?: Steps): P;
  /** Takes what was translated in another thread, or came from another node. @param count how many elements it has */
  adopt(bytes: Buffer, count: number): P;
}

/** A payload in one form, with its translations. */
export abstract class WirePayload implements Payload {
  /** form -> this payload in it, or why it has no place there */
  #translations: Map<unknown, WirePayload | WampError> | undefined;

  /**
   * Builds the values: Arguments and maybe ArgumentsKw, or the one string or byte string of an opaque payload.
   * Byte strings are Uint8Arrays in every form, integers beyond 2^53 are BigInts.
   */
  abstract elements(): readonly unknown[];

  /** How much memory it takes, in bytes. */
  abstract get byteLength(): number;

  /** The config word of the serializers in whose form it is. */
  abstract readonly formType: string;

  /** How many elements it has; 1 where nobody needs to know. */
  abstract readonly count: number;

  /** @returns it as it stands in a message. */
  abstract shared(): Buffer;

  /** Passes on what {@link elements} builds. @returns how many there are. */
  abstract passOn(to: ValueSink, steps?: Steps): number;

  /** Arguments; of an opaque payload a list with its one item. */
  get args(): readonly unknown[] {
    return this.values().args;
  }

  get kwargs(): Dict | undefined {
    return this.values().kwargs;
  }

  values(): Pick<Payload, 'args' | 'kwargs'> {
    const [args, kwargs] = this.elements();
    return {
      args: Array.isArray(args) ? (args as readonly unknown[]) : [args],
      kwargs: kwargs as Dict | undefined,
    };
  }

  countValues(max: number, levels: number): number {
    const counter = new ValueCounter(max, levels);
    try {
      this.passOn(counter);
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      return Infinity;
    }
    return counter.count;
  }

  /**
   * @returns this payload in another form, made when it is first asked for.
   * @throws WampError for a payload that cannot be translated: found out once, however many are to get it.
   */
  in<P extends WirePayload>(form: PayloadForm<P>): P {
    // What is filed under a form was made by that form.
    const known = this.#translations?.get(form) as P | WampError | undefined;
    const made = known ?? this.#translated(form);
    if (made instanceof WampError) throw made;
    return made;
  }

  /** It was translated already, or cannot be. */
  keep<P extends WirePayload>(form: PayloadForm<P>, made: P | WampError): void {
    this.#translations ??= new Map();
    this.#translations.set(form, made);
  }

  #translated<P extends WirePayload>(form: PayloadForm<P>): P | WampError {
    let made: P | WampError;
    try {
      if (this.byteLength > MAX_TRANSLATED_BYTES) throw new WampError(ErrorUri.PAYLOAD_SIZE_EXCEEDED, TOO_LARGE);
      made = form.translate(this);
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      made = error;
    }
    this.keep(form, made);
    return made;
  }
}

/** @returns what stands on the wire for a payload that the router made from values. */
export function elementsOf({ args, kwargs }: Payload): readonly unknown[] {
  return kwargs === undefined ? [args] : [args, kwargs];
}
