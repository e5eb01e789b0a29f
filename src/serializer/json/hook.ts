/**
 * Whatever was posted to a webhook, as a PUBLISH: one argument, `{"headers": {...}, "body": "..."}`. A body may be 16 MiB long, and six
 * times that as JSON: it is turned to text where large messages are taken apart, so it comes here in bytes, with its topic and headers
 * before it:
 *
 *     topic in JSON | LF | headers in JSON | LF | the body
 *
 * It knows nothing of HTTP.
 */
import { isUtf8 } from 'node:buffer';
import { PUBLISH } from '../../wamp/message.js';
import { SOME_REQUEST, formatOf } from './body.js';
import type { BodyParts } from './body.js';

/** What was posted. */
export interface Hook {
  readonly topic: string;
  /** name -> values */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Buffer;
}

const LINE_FEED = 10;
const NUL = 0;

/** @returns the bytes that {@link hookBody} reads, in memory of their own. */
export function hookBytes({ topic, headers, body }: Hook): Buffer {
  const head = Buffer.from(`${JSON.stringify(topic)}\n${JSON.stringify(headers)}\n`);
  const bytes = Buffer.allocUnsafeSlow(head.length + body.length);
  head.copy(bytes);
  body.copy(bytes, head.length);
  return bytes;
}

/** A PUBLISH that asks to be acknowledged. */
export const hookBody = formatOf('body.hook', (bytes): BodyParts => {
  const topicEnd = bytes.indexOf(LINE_FEED);
  const headersEnd = bytes.indexOf(LINE_FEED, topicEnd + 1);
  const topic: unknown = JSON.parse(bytes.toString('utf8', 0, topicEnd));
  const headers = bytes.toString('utf8', topicEnd + 1, headersEnd);
  const payload = `[{"headers":${headers},${membersOf(bytes.subarray(headersEnd + 1))}}]`;
  return { fields: [PUBLISH, SOME_REQUEST, { acknowledge: true }, topic], payload };
});

/** What is no text is a byte string (section "Binary support in JSON"), and so is what would look like one. */
function membersOf(body: Buffer): string {
  if (isUtf8(body) && body[0] !== NUL) return `"body":${JSON.stringify(body.toString('utf8'))}`;
  return `"body":"\\u0000${body.toString('base64')}","encoding":"base64"`;
}
