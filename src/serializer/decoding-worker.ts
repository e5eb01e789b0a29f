/** The thread that takes large messages apart, one after the other. Their bytes come and go without a copy. */
import { parentPort } from 'node:worker_threads';
import { ProtocolViolation } from '../wamp/error.js';
import { SERIALIZERS } from './registry.js';
import type { MessageParts } from './serializer.js';

/** What the thread is told. */
export interface ThreadOrder {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** What the thread answers. */
export interface ThreadAnswer {
  readonly outcome:
    MessageParts | { readonly unknown: string } | { readonly violation: string } | { readonly failed: string };
  /** Of the order; or what took their place. */
  readonly bytes: Uint8Array;
}

function outcomeOf({ type, bytes }: ThreadOrder): ThreadAnswer['outcome'] {
  const format = Object.values(SERIALIZERS).find(({ single }) => single.type === type);
  if (format?.single.takeApart === undefined) return { unknown: type };
  try {
    return format.single.takeApart(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    return error instanceof ProtocolViolation ? { violation: error.message } : { failed: String(error) };
  }
}

parentPort?.on('message', (order: ThreadOrder) => {
  const outcome = outcomeOf(order);
  const bytes = 'bytes' in outcome ? outcome.bytes : order.bytes;
  parentPort?.postMessage({ outcome, bytes } satisfies ThreadAnswer, [bytes.buffer as ArrayBuffer]);
});
