/**
 * Large payloads are translated in advance, in the thread that takes their messages apart, into each form that somebody speaks at
 * that moment: when they are due, they must not make all others wait. The translations go along with the message.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { movable } from './large-frame.js';
import { SERIALIZERS } from './registry.js';
import { Steps } from './value-sink.js';
import type { SerializerTypes } from './registry.js';
import type { PayloadForm, WirePayload } from './wire-payload.js';

/** A third of a second: only the senders of other large messages wait for it. */
const MAX_STEPS = 8_000_000;
/** Numbers and byte strings may take several times as much in another form. */
const MAX_BYTES = 33_554_432;

/** A payload in another form, or why it has no place there. It can be handed to another thread. */
export type Translation = { readonly form: string } & (
  { readonly bytes: Uint8Array; readonly count: number } | { readonly error: string; readonly text: string }
);

/** @param forms config words of serializers; those that we do not ship are passed over */
export function translationsOf(payload: WirePayload, forms: readonly string[]): readonly Translation[] {
  return forms.flatMap((type) => {
    const form = formOf(type);
    return form === undefined ? [] : [translation(payload, form)];
  });
}

/** Gives a payload what {@link translationsOf} has found of it. */
export function keepTranslations(payload: WirePayload, translations: readonly Translation[]): void {
  for (const known of translations) {
    const form = formOf(known.form);
    if (form === undefined) continue;
    if ('error' in known) payload.keep(form, new WampError(known.error, known.text));
    else payload.keep(form, form.adopt(bufferOf(known.bytes), known.count));
  }
}

function translation(payload: WirePayload, form: PayloadForm<WirePayload>): Translation {
  try {
    const made = form.translate(payload, new Steps(MAX_STEPS));
    const bytes = movable(made.shared());
    if (bytes.length <= MAX_BYTES) return { form: form.type, bytes, count: made.count };
    const text = `the payload takes ${bytes.length} bytes as ${form.type}, and no more than ${MAX_BYTES} are sent`;
    return { form: form.type, error: ErrorUri.PAYLOAD_SIZE_EXCEEDED, text };
  } catch (error) {
    if (!(error instanceof WampError)) throw error;
    return { form: form.type, error: error.uri, text: error.message };
  }
}

function formOf(type: string): PayloadForm<WirePayload> | undefined {
  const types: SerializerTypes = SERIALIZERS;
  return types[type]?.single.form;
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
