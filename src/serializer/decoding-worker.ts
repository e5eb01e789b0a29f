/**
 * The thread that takes large messages apart, one after the other, and translates their payloads. Their bytes come and go without
 * a copy.
 */
import { parentPort } from 'node:worker_threads';
import { ProtocolViolation } from '../wamp/error.js';
import { callBody, publishBody } from './json/body.js';
import { hookBody } from './json/hook.js';
import { SERIALIZERS } from './registry.js';
import { translationsOf } from './translations.js';
import { WirePayload } from './wire-payload.js';
import type { Decoder, MessageParts } from './serializer.js';
import type { Translation } from './translations.js';

/** What the thread is told. */
export interface ThreadOrder {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Into which forms the payload is translated: config words of serializers. */
  readonly forms: readonly string[];
}

/** What the thread answers. */
export interface ThreadAnswer {
  readonly outcome: Found | { readonly unknown: string } | { readonly violation: string } | { readonly failed: string };
  /** Of the order; or what took their place. */
  readonly bytes: Uint8Array;
}

/** What the thread has found in a message. */
export interface Found {
  readonly parts: MessageParts;
  readonly translations: readonly Translation[];
}

/** All that comes in large messages. */
const DECODERS: readonly Decoder[] = [
  ...Object.values(SERIALIZERS).map(({ single }) => single),
  ...[publishBody, callBody, hookBody],
];

function outcomeOf({ type, bytes, forms }: ThreadOrder): ThreadAnswer['outcome'] {
  const format = DECODERS.find((known) => known.type === type);
  if (format?.takeApart === undefined) return { unknown: type };
  try {
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const parts = format.takeApart(message);
    return { parts, translations: translated(format, message, parts, forms) };
  } catch (error) {
    return error instanceof ProtocolViolation ? { violation: error.message } : { failed: String(error) };
  }
}

function translated(
  { putTogether }: Decoder,
  bytes: Buffer,
  parts: MessageParts,
  forms: readonly string[],
): readonly Translation[] {
  if (parts.payload === undefined || forms.length === 0) return [];
  const message = putTogether?.(parts.bytes === undefined ? bytes : Buffer.from(parts.bytes), parts);
  const payload = message !== undefined && 'payload' in message ? message.payload : undefined;
  return payload instanceof WirePayload ? translationsOf(payload, forms) : [];
}

parentPort?.on('message', (order: ThreadOrder) => {
  const outcome = outcomeOf(order);
  const found = 'parts' in outcome ? outcome : undefined;
  const bytes = found?.parts.bytes ?? order.bytes;
  const translations = found?.translations.flatMap((known) => ('bytes' in known ? [known.bytes] : [])) ?? [];
  const buffers = [bytes, ...translations].map(({ buffer }) => buffer as ArrayBuffer);
  parentPort?.postMessage({ outcome, bytes } satisfies ThreadAnswer, buffers);
});
