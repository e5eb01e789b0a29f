/**
 * The payload of a message: what applications say to each other (Arguments and ArgumentsKw). The router carries it and
 * never looks inside. A serializer makes one from the bytes that came in and keeps them, so that a peer with the same
 * serializer gets exactly these bytes; `args` and `kwargs` build the values only for those who ask.
 */

/** A dictionary as WAMP has it: string keys, any values. */
export type Dict = Readonly<Record<string, unknown>>;

/** What applications say to each other; the values are made when somebody asks for them. */
export interface Payload {
  readonly args: readonly unknown[];
  readonly kwargs: Dict | undefined;
  /** Builds both at once, where building them costs something. */
  values?(): Pick<Payload, 'args' | 'kwargs'>;
  /**
   * Counts the values, without building them where building costs something: lists, dictionaries, keys and all else one each.
   * @returns Infinity when there are more than `max`, when lists and dictionaries lie in each other more than `levels` deep,
   * or when values cannot be made of it.
   */
  countValues?(max: number, levels: number): number;
  /** The size of the bytes or text it holds; undefined when it was made from values. */
  readonly byteLength?: number;
  /** @returns the same in memory of its own: for those who keep it, and should not keep the buffer that it came in. */
  detach?(): Payload;
}

/** Nothing at all: neither Arguments nor ArgumentsKw stand in the message (section "Message Structure": avoid empties). */
export const NO_PAYLOAD: Payload = Object.freeze({ args: Object.freeze([]), kwargs: undefined });

/** @returns a payload made by the router itself from values. */
export function payloadOf(args: readonly unknown[], kwargs?: Dict): Payload {
  return args.length === 0 && kwargs === undefined ? NO_PAYLOAD : { args, kwargs };
}

/**
 * Does for values what {@link Payload.countValues} does for the form on the wire. Not recursive, because a client may nest
 * values deeper than the stack allows.
 */
export function countValues({ args, kwargs }: Pick<Payload, 'args' | 'kwargs'>, max: number, levels: number): number {
  let count = 0;
  let level: unknown[] = kwargs === undefined ? [args] : [args, kwargs];
  for (let depth = 0; level.length > 0; depth++) {
    const below: unknown[] = [];
    for (const value of level) {
      const items = itemsOf(value);
      if (items !== undefined && depth === levels) return Infinity;
      // The values of a dictionary come with as many keys.
      count += 1 + (Array.isArray(value) ? 0 : (items?.length ?? 0));
      if (count + below.length + (items?.length ?? 0) > max) return Infinity;
      for (const item of items ?? []) below.push(item);
    }
    level = below;
  }
  return count;
}

/** @returns undefined for what is neither a list nor a dictionary. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as readonly unknown[];
  return isDict(value) ? Object.values(value) : undefined;
}

/** @returns whether `value` is a dictionary: an object that is neither a list nor a byte string. */
export function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
