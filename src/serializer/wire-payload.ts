/**
 * Payloads in the form in which a client sent them. Between peers of the same serializer this form travels unchanged;
 * for a peer of another one it is translated: values are built, written in the other form, and the result is kept, so
 * that a publication to a thousand subscribers is translated once.
 */
import type { Dict, Payload } from '../wamp/payload.js';

/** How deep lists and dictionaries may lie in each other; Arguments and ArgumentsKw are the first level. */
export const MAX_NESTING = 64;

/** Writes values in one form. One constant object per form: it is the key under which results are kept. */
export interface PayloadForm<P extends WirePayload> {
  /** @throws WampError `wamp.error.invalid_argument` when the values have no place in this form. */
  write(elements: readonly unknown[]): P;
}

export abstract class WirePayload implements Payload {
  /** form -> this payload in it */
  #translations: Map<unknown, WirePayload> | undefined;

  /**
   * Builds the values: Arguments and maybe ArgumentsKw, or the one string or byte string of an opaque payload.
   * Byte strings are Uint8Arrays in every form, integers beyond 2^53 are BigInts.
   */
  abstract elements(): readonly unknown[];

  /** Arguments; of an opaque payload a list with its one item. */
  get args(): readonly unknown[] {
    const [args] = this.elements();
    return Array.isArray(args) ? (args as readonly unknown[]) : [args];
  }

  get kwargs(): Dict | undefined {
    return this.elements()[1] as Dict | undefined;
  }

  /** @returns this payload in another form, made when it is first asked for. */
  in<P extends WirePayload>(form: PayloadForm<P>): P {
    // What is filed under a form was made by that form.
    const known = this.#translations?.get(form) as P | undefined;
    if (known !== undefined) return known;
    const made = form.write(this.elements());
    this.#translations ??= new Map();
    this.#translations.set(form, made);
    return made;
  }
}

/** @returns what stands on the wire for a payload that the router made from values. */
export function elementsOf({ args, kwargs }: Payload): readonly unknown[] {
  return kwargs === undefined ? [args] : [args, kwargs];
}
