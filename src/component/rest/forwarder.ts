/**
 * The queue of events to one address: one request at a time, so that they arrive in order. A server that is slower than the events
 * loses the oldest ones that wait. One that fails is asked again, and then goes without the event.
 *
 *     event -> waits (too many: the oldest is dropped) -> request -> the status that is expected: done
 *                                                                 -> 5xx, or no answer: again, three times at most; then an error in the log
 *                                                                 -> any other status: an error in the log
 */
import type { Logger } from '../../log/logger.js';
import { RepeatedLog } from '../../log/repeated.js';
import { messageOf } from '../../system/error.js';
import { REQUEST_LIMITS, send } from './request.js';
import type { RequestLimits } from './request.js';

/** What a queue may hold, and when a request is made again. */
export interface ForwarderLimits extends RequestLimits {
  /** Events that wait. */
  readonly maxEvents: number;
  /** Bytes of the events that wait; a single one may have more. */
  readonly maxBytes: number;
  /** How long to wait before each further try, in milliseconds. */
  readonly againMs: readonly number[];
}

/** 1,000 events, 16 MiB, and two more tries. */
export const FORWARDER_LIMITS: ForwarderLimits = {
  ...REQUEST_LIMITS,
  maxEvents: 1000,
  maxBytes: 16 * 1_048_576,
  againMs: [500, 2000],
};

/** An event on its way. */
export interface ForwardedEvent {
  readonly topic: string;
  readonly publication: number;
  /** JSON. */
  readonly body: Uint8Array;
}

/** Where events go, and how. */
export interface ForwarderTarget {
  readonly url: URL;
  readonly method: string;
  /** Undefined: any from 200 to 299. */
  readonly expectedcode: number | undefined;
}

/** Why an event has not arrived. */
interface Fault {
  readonly reason: string;
  readonly mayPass: boolean;
}

/** One queue. */
export class Forwarder {
  readonly #target: ForwarderTarget;
  readonly #limits: ForwarderLimits;
  readonly #log: Logger;
  readonly #repeated: RepeatedLog;
  readonly #ending = new AbortController();
  readonly #waiting: ForwardedEvent[] = [];
  #bytes = 0;
  /** Since the start. */
  #dropped = 0;
  #isBusy = false;

  constructor(target: ForwarderTarget, log: Logger, limits: ForwarderLimits = FORWARDER_LIMITS) {
    this.#target = target;
    this.#limits = limits;
    // Of the address only the server: paths of webhooks are often secret.
    this.#log = log.child({ server: target.url.origin });
    this.#repeated = new RepeatedLog(this.#log);
  }

  /** Takes an event, and returns at once. */
  add(event: ForwardedEvent): void {
    if (this.#isStopped) return;
    this.#waiting.push(event);
    this.#bytes += event.body.length;
    this.#makeRoom();
    if (!this.#isBusy) void this.#work();
  }

  /** Gives up the request that is under way, and forgets what waits. Idempotent. */
  stop(): void {
    if (this.#isStopped) return;
    const lost = this.#waiting.length + Number(this.#isBusy);
    this.#ending.abort(new Error('the component stops'));
    this.#waiting.length = 0;
    this.#bytes = 0;
    this.#repeated.end();
    if (lost > 0) this.#log.warn({ events: lost }, 'component stops, and events are not forwarded any more');
  }

  get #isStopped(): boolean {
    return this.#ending.signal.aborted;
  }

  #makeRoom(): void {
    const { maxEvents, maxBytes } = this.#limits;
    while (this.#waiting.length > maxEvents || (this.#bytes > maxBytes && this.#waiting.length > 1)) {
      this.#take();
      this.#dropped += 1;
      const facts = { dropped: this.#dropped };
      this.#repeated.say('warn', facts, 'events for an HTTP server dropped: it is slower than they come');
    }
  }

  #take(): ForwardedEvent | undefined {
    const event = this.#waiting.shift();
    this.#bytes -= event?.body.length ?? 0;
    return event;
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let event = this.#take(); event !== undefined; event = this.#take()) await this.#forward(event);
    this.#isBusy = false;
  }

  async #forward({ topic, publication, body }: ForwardedEvent): Promise<void> {
    const { url, method } = this.#target;
    const headers = new Headers({
      'Content-Type': 'application/json',
      'X-WAMP-Topic': headerText(topic),
      'X-WAMP-Publication': String(publication),
    });
    const { againMs } = this.#limits;
    for (const waitMs of [...againMs, undefined]) {
      const fault = await this.#faultOf({ method, url, headers, body });
      if (fault === undefined || this.#isStopped) return;
      if (!fault.mayPass || waitMs === undefined) {
        this.#repeated.say(
          'error',
          { topic, publication, reason: fault.reason },
          'event not forwarded to an HTTP server',
        );
        return;
      }
      this.#log.debug({ topic, publication, reason: fault.reason, waitMs }, 'event will be forwarded again');
      await this.#wait(waitMs);
    }
  }

  async #faultOf(request: Parameters<typeof send>[0]): Promise<Fault | undefined> {
    try {
      const { status } = await send(request, this.#ending.signal, this.#limits);
      const { expectedcode } = this.#target;
      if (expectedcode === undefined ? status >= 200 && status < 300 : status === expectedcode) return undefined;
      return { reason: `The server answered with the status ${status}.`, mayPass: status >= 500 };
    } catch (error) {
      return { reason: messageOf(error), mayPass: true };
    }
  }

  /** Resolves early when it is stopped. */
  #wait(ms: number): Promise<void> {
    const { signal } = this.#ending;
    return new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', over);
        resolve();
      };
      const timer = setTimeout(over, ms);
      signal.addEventListener('abort', over);
      if (signal.aborted) over();
    });
  }
}

/** A topic may have any letters, a header has those of ASCII: the others, and `%`, are written as in a URL. */
function headerText(topic: string): string {
  return topic.replace(/[^!-$&-~]+/g, (letters) =>
    Buffer.from(letters).reduce((text, byte) => `${text}%${byte.toString(16).toUpperCase().padStart(2, '0')}`, ''),
  );
}
