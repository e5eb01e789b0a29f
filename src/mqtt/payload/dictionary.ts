/** The dictionary that a payload of MQTT stands for: what is published, and to whom. Clients send it, and procedures return it. */
import { elementsOf } from '../../serializer/wire-payload.js';
import { isId } from '../../wamp/id.js';
import { NO_PAYLOAD, isDict, payloadOf } from '../../wamp/payload.js';
import { PayloadError } from './mapping.js';
import type { PayloadForm, WirePayload } from '../../serializer/wire-payload.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { Publication } from './mapping.js';

const IDS = ['exclude', 'eligible'];
const NAMES = ['exclude_authid', 'exclude_authrole', 'eligible_authid', 'eligible_authrole'];

/**
 * @param form in which the payload is written, once for all who get it
 * @throws PayloadError for what is no such dictionary. Keys that nobody knows are passed over.
 */
export function publicationFrom(value: unknown, form: PayloadForm<WirePayload>): Publication {
  if (!isDict(value)) throw new PayloadError('the payload is no dictionary');
  const { args = [], kwargs } = value;
  if (!Array.isArray(args)) throw new PayloadError('"args" of the payload is no list');
  if (kwargs !== undefined && !isDict(kwargs)) throw new PayloadError('"kwargs" of the payload is no dictionary');
  const payload = payloadOf(args as readonly unknown[], kwargs);
  return { options: optionsFrom(value), payload: payload === NO_PAYLOAD ? payload : form.write(elementsOf(payload)) };
}

/** @returns what stands in the payload for an event; the kwargs only where there are some. */
export function dictionaryOf({ args, kwargs }: Pick<Payload, 'args' | 'kwargs'>): Dict {
  return kwargs === undefined ? { args } : { args, kwargs };
}

function optionsFrom(value: Dict): Dict {
  const options: Record<string, unknown> = {};
  for (const key of IDS) if (value[key] !== undefined) options[key] = listOf(key, value[key], isId);
  for (const key of NAMES) {
    if (value[key] !== undefined) options[key] = listOf(key, value[key], (item) => typeof item === 'string');
  }
  return options;
}

function listOf(key: string, value: unknown, fits: (item: unknown) => boolean): readonly unknown[] {
  if (Array.isArray(value) && value.every(fits)) return value as readonly unknown[];
  throw new PayloadError(`"${key}" of the payload is no list of ${IDS.includes(key) ? 'ids' : 'names'}`);
}
