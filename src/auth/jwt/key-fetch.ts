/**
 * Fetches the key set of an issuer. The answer decides who is let in, and comes from another machine: nothing is followed to
 * another place, and nothing large is read.
 */
import { errorCode, messageOf } from '../../system/error.js';

/** Providers have a few keys, of 0.5 to 3 KiB each. */
export const MAX_KEY_SET_BYTES = 256 * 1024;

/** There is no key set at the moment; the text says why, for the log. */
export class KeySetError extends Error {
  readonly code = 'ERR_KEY_SET';
  override readonly name = 'KeySetError';
}

/**
 * @param timeoutMs for the whole answer.
 * @param stopped ends the wait.
 * @returns the JSON, unchecked.
 * @throws KeySetError
 */
export async function fetchKeySet(url: string, timeoutMs: number, stopped: AbortSignal): Promise<unknown> {
  const ending = new AbortController();
  const stop = (): void => ending.abort(new KeySetError('the node stops'));
  const late = new KeySetError(`no answer within ${timeoutMs} ms`);
  const timer = setTimeout(() => ending.abort(late), timeoutMs);
  stopped.addEventListener('abort', stop);
  try {
    return parsed(await textOf(url, ending.signal));
  } catch (cause) {
    if (cause instanceof KeySetError) throw cause;
    throw new KeySetError(reasonOf(cause), { cause });
  } finally {
    clearTimeout(timer);
    stopped.removeEventListener('abort', stop);
  }
}

async function textOf(url: string, signal: AbortSignal): Promise<Uint8Array> {
  const headers = { accept: 'application/jwk-set+json, application/json' };
  const response = await fetch(url, { redirect: 'manual', headers, signal });
  try {
    const { status } = response;
    if (status >= 300 && status < 400)
      throw new KeySetError(`the answer leads elsewhere (${status}), which is not followed`);
    if (status !== 200) throw new KeySetError(`the answer has the status ${status}`);
    return await bytesOf(response);
  } finally {
    // What is not read any more. A body that was read, or has failed, has nothing to cancel.
    if (response.body?.locked === false) await response.body.cancel();
  }
}

async function bytesOf({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_KEY_SET_BYTES) throw new KeySetError(`the answer has more than ${MAX_KEY_SET_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new KeySetError('the answer is no JSON', { cause });
  }
}

/** `fetch` has the reason in the cause of its error. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return errorCode(cause) ?? messageOf(cause);
}
