/**
 * The requests of a session that are not answered. A reply is dealt with before the next message is looked at, so that
 * an event cannot overtake the subscription that it belongs to.
 */
import { nextId } from '../wamp/id.js';
import { CallError } from './api.js';
import { valuesOf } from './values.js';
import type { ClientMessage, ErrorMessage, Result, RouterMessage } from '../wamp/message.js';

/** A message that ends a request. */
export type Reply = Extract<RouterMessage, { readonly requestId: number }>;

export interface Request<T> {
  readonly message: (requestId: number) => ClientMessage;
  /** What the reply means; called at once when it comes. */
  readonly take: (reply: Reply) => T;
  /** Gets the progressive results of a call. Must not throw. */
  readonly part?: (result: Result) => void;
  /** What an ERROR means; by default the request is rejected with a {@link CallError}. */
  readonly fail?: (message: ErrorMessage) => T;
}

interface Pending {
  settle(reply: Reply): void;
  readonly fail: ((message: ErrorMessage) => void) | undefined;
  reject(error: Error): void;
  readonly part: ((result: Result) => void) | undefined;
}

/** The promise of a request, and how to give up waiting for it. */
export interface Sent<T> {
  readonly requestId: number;
  readonly promise: Promise<T>;
}

export class Requests {
  readonly #send: (message: ClientMessage) => void;
  // request id -> request
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  /** @param send throws for a message that is no proper one. */
  constructor(send: (message: ClientMessage) => void) {
    this.#send = send;
  }

  /** Sends what is not answered. @throws TypeError when the message is no proper one; it has not been sent then. */
  post(message: (requestId: number) => ClientMessage): number {
    const requestId = nextId(this.#lastId);
    this.#send(message(requestId));
    this.#lastId = requestId;
    return requestId;
  }

  /** Sends what is answered. @throws TypeError as {@link post}. */
  send<T>({ message, take, part, fail }: Request<T>): Sent<T> {
    const requestId = this.post(message);
    const promise = new Promise<T>((resolve, reject) => {
      const settle = (reply: Reply): void => {
        try {
          resolve(take(reply));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const failed = fail && ((answer: ErrorMessage): void => resolve(fail(answer)));
      this.#pending.set(requestId, { settle, fail: failed, reject, part });
    });
    return { requestId, promise };
  }

  onReply(reply: Reply): void {
    const pending = this.#pending.get(reply.requestId);
    this.#pending.delete(reply.requestId);
    pending?.settle(reply);
  }

  onError(message: ErrorMessage): void {
    const pending = this.#pending.get(message.requestId);
    if (pending?.fail === undefined) return this.reject(message.requestId, errorOf(message));
    this.#pending.delete(message.requestId);
    pending.fail(message);
  }

  onPart(result: Result): void {
    this.#pending.get(result.requestId)?.part?.(result);
  }

  isPending(requestId: number): boolean {
    return this.#pending.has(requestId);
  }

  /** Does not wait for the reply any more. */
  reject(requestId: number, error: Error): void {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    pending?.reject(error);
  }

  rejectAll(error: Error): void {
    for (const requestId of [...this.#pending.keys()]) this.reject(requestId, error);
  }
}

/** A component that does not wait for a request must not bring the process down when it fails. */
export function guarded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function errorOf({ error, payload }: ErrorMessage): Error {
  try {
    const { args, kwargs } = valuesOf(payload);
    return new CallError(error, args, kwargs);
  } catch {
    // Nested too deep for us: the URI is what counts.
    return new CallError(error);
  }
}
