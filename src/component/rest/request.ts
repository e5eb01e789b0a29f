/**
 * One HTTP request of a component, from its sending to the last byte of its answer: within a time, of a size, and to no other server
 * than the one that was named. What an answer means is the business of the component.
 */
import { errorCode } from '../../system/error.js';

/** What a request may take. */
export interface RequestLimits {
  /** Until the whole answer is there, redirects included, in milliseconds. */
  readonly timeoutMs: number;
  /** Of the body of the answer, unpacked. */
  readonly maxAnswerBytes: number;
}

/** 10 s and 1 MiB. */
export const REQUEST_LIMITS: RequestLimits = { timeoutMs: 10_000, maxAnswerBytes: 1_048_576 };

/** What is sent. */
export interface RestRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
}

/** A whole answer, of any status. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** There is no answer; the text is a sentence for the caller, and names no address. */
export class RequestFailed extends Error {
  readonly code = 'ERR_HTTP_REQUEST';
  override readonly name = 'RequestFailed';
}

/** As many as browsers follow. */
const MAX_REDIRECTS = 20;

/**
 * @param signal ends the request; its reason is thrown.
 * @throws RequestFailed
 */
export async function send(
  request: RestRequest,
  signal: AbortSignal,
  { timeoutMs, maxAnswerBytes }: RequestLimits = REQUEST_LIMITS,
): Promise<RestAnswer> {
  const ending = new AbortController();
  const stop = (): void => ending.abort(signal.reason);
  const late = new RequestFailed(`The server did not answer within ${timeoutMs} ms.`);
  const timer = setTimeout(() => ending.abort(late), timeoutMs);
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    return await answerTo(request, ending.signal, maxAnswerBytes);
  } catch (error) {
    if (ending.signal.aborted) throw ending.signal.reason as Error;
    if (error instanceof RequestFailed) throw error;
    throw new RequestFailed(sentenceOf(error), { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

async function answerTo(first: RestRequest, signal: AbortSignal, maxBytes: number): Promise<RestAnswer> {
  let request = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const { method, url, headers, body } = request;
    const response = await fetch(url, { method, headers, signal, redirect: 'manual', ...(body && { body }) });
    const next = redirected(request, response);
    if (next === undefined) {
      return { status: response.status, headers: response.headers, bytes: await bytesOf(response, maxBytes) };
    }
    await response.body?.cancel();
    request = next;
  }
  throw new RequestFailed(`The server redirects more than ${MAX_REDIRECTS} times.`);
}

const MOVED = [301, 302, 307, 308];
const SEE_OTHER = 303;

/**
 * @returns the request that an answer leads to. Undefined: the answer is the last one. A redirect to another server is; and one of a
 *   request that changes something, unless the server has taken it and says where to look.
 */
function redirected(
  { method, url, headers }: RestRequest,
  { status, headers: answered }: Response,
): RestRequest | undefined {
  const reads = method === 'GET' || method === 'HEAD';
  if (status !== SEE_OTHER && !(MOVED.includes(status) && reads)) return undefined;
  const location = answered.get('location');
  if (location === null || !URL.canParse(location, url.href)) return undefined;
  const target = new URL(location, url);
  if (target.origin !== url.origin || target.username + target.password !== '') return undefined;
  return {
    method: reads ? method : 'GET',
    url: target,
    headers: reads ? headers : withoutContent(headers),
    body: undefined,
  };
}

/** What describes a body that is not sent again. */
function withoutContent(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => !name.startsWith('content-')));
}

async function bytesOf({ body }: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // Leaving the loop ends the connection.
    if (length > maxBytes) throw new RequestFailed(`The answer of the server has more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `fetch` has the reason in the cause of its error. Its text may name addresses, its code does not. */
function sentenceOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = errorCode(cause);
  return code === undefined ? 'The request failed.' : `The request failed: ${code}.`;
}
