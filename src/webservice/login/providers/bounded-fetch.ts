/**
 * What the node asks of a provider, with bounds: answers have a size, redirects are not followed, and nothing goes over the network in
 * the clear.
 */
import { isLoopbackHost } from './loopback.js';

/** The metadata, keys and users of real providers have a few KiB. */
const MAX_BYTES = 262_144;

/** A provider of a login gives no answer, or one that is not taken; the text is for the log. */
export class ProviderAnswerError extends Error {
  readonly code = 'ERR_PROVIDER_ANSWER';
  override readonly name = 'ProviderAnswerError';
}

/** As `fetch`, as far as libraries use it. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** @param send what really asks; default: the `fetch` of Node.js. */
export function boundedFetch(send: Fetch = fetch): Fetch {
  return async (url, options) => {
    const { protocol, hostname } = new URL(url);
    if (protocol !== 'https:' && !isLoopbackHost(hostname)) {
      throw new ProviderAnswerError('the provider names a URL without TLS');
    }
    const response = await send(url, { ...options, redirect: 'manual' });
    const { status } = response;
    if (status >= 300 && status < 400) {
      await response.body?.cancel();
      throw new ProviderAnswerError('the provider redirects');
    }
    return wholeResponse(response, await bytesOf(response));
  };
}

async function bytesOf({ body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // Leaving the loop cancels the stream.
    if (length > MAX_BYTES) throw new ProviderAnswerError('the answer of the provider is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The body is unpacked, so what the headers say of its packing is not true any more. */
function wholeResponse({ status, headers: received }: Response, bytes: Buffer): Response {
  const headers = new Headers(received);
  headers.delete('content-encoding');
  headers.delete('content-length');
  return new Response(bytes.length === 0 ? null : new Uint8Array(bytes), { status, headers });
}
