/**
 * The end of all connections of a node that stops: one by one, so that clients that come back do not come all at once.
 * They are closed without GOODBYE, because clients take that, as they take ABORT, for a wish that they stay away.
 *
 *     announce: nothing changes, but that whoever asks is told that the end is near
 *     run: nobody new is let in -> who neither serves nor waits for an answer leaves, in random order
 *          -> who has calls in flight leaves as soon as they are answered, or after a moment
 *          -> callees leave in the same way: until then they are there for the others
 *
 * Hosts join when they are made, because a callee on one transport is there for the callers on another. It knows no
 * sockets and no frames.
 */
import type { Logger } from '../log/logger.js';
import type { DrainConfig } from './drain/schema.js';

/** A connection that has to leave. */
export interface Departing {
  /** Others may call it. */
  readonly isCallee: boolean;
  /** It waits for something, or somebody waits for it. */
  readonly isBusy: boolean;
  /** Begins its end: with GOODBYE, or by closing without a word. Idempotent. */
  shutdown(saysGoodbye: boolean): void;
}

/** What has connections that end with the node. */
export interface DrainedHost {
  /** Lets nobody in any more. @returns who is there. */
  refuse(): Iterable<Departing>;
}

export interface DrainDeps {
  readonly log: Logger;
  /** GOODBYE `wamp.close.system_shutdown` instead of a close without a word. */
  readonly saysGoodbye: boolean;
  /** Milliseconds that never go back. */
  readonly elapsed: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
  /** By default what the config has by default. */
  readonly times?: DrainTimes;
}

/** How long the steps of the end take, in milliseconds. */
export interface DrainTimes {
  /** Before anybody notices. */
  readonly delayMs: number;
  /** For all connections together; undefined: as many milliseconds as there are connections, with a limit. */
  readonly spreadMs: number | undefined;
  /** For calls in flight, in all. */
  readonly callsMs: number;
}

/** @param config in seconds */
export function drainTimesOf({ delay, spread, calls }: DrainConfig): DrainTimes {
  const spreadMs = spread === undefined ? undefined : spread * 1000;
  return { delayMs: delay * 1000, spreadMs, callsMs: calls * 1000 };
}

/** @returns how long the end takes at most, in milliseconds, up to the last word to the last connection. */
export function longestDrainMs({ delayMs, spreadMs = MAX_SPREAD_MS, callsMs }: DrainTimes): number {
  return delayMs + spreadMs + callsMs;
}

/** So much time for each connection, and so much for all of them: a thousand in a second, a hundred thousand in twenty. */
const MS_EACH = 1;
const MAX_SPREAD_MS = 20_000;

/** Where the config says how long it takes, and there are few connections, it takes no longer than that for each. */
const MAX_MS_EACH = 1000;

/** How often the time is looked at. */
const TICK_MS = 10;

const DEFAULT_TIMES: DrainTimes = { delayMs: 0, spreadMs: undefined, callsMs: 5000 };

/** Ends the connections of a node one by one when it stops. */
export class Drain {
  readonly #deps: DrainDeps;
  readonly #hosts = new Set<DrainedHost>();
  readonly #times: DrainTimes;
  #isNear = false;
  #over: Promise<void> | undefined;
  #msEach = MS_EACH;
  #callsMs: number;

  constructor(deps: DrainDeps) {
    this.#deps = deps;
    this.#times = deps.times ?? DEFAULT_TIMES;
    this.#callsMs = this.#times.callsMs;
  }

  /** Whether the end has been announced or begun: an answer of HTTP is the last one of its connection. */
  get isNear(): boolean {
    return this.#isNear;
  }

  get saysGoodbye(): boolean {
    return this.#deps.saysGoodbye;
  }

  /** Resolves when the end of every connection has begun; undefined as long as the node does not stop. */
  get over(): Promise<void> | undefined {
    return this.#over;
  }

  join(host: DrainedHost): void {
    this.#hosts.add(host);
  }

  /** Resolves when it is time to {@link run}: load balancers have had the time to notice. */
  async announce(): Promise<void> {
    this.#isNear = true;
    const { delayMs } = this.#times;
    if (delayMs === 0) return;
    this.#deps.log.info({ delayMs }, 'the end is near: clients are served as before until load balancers have noticed');
    await this.#deps.wait(delayMs);
  }

  /** It has no connections, and will have none. */
  leave(host: DrainedHost): void {
    this.#hosts.delete(host);
  }

  /** Idempotent; never rejects. */
  run(): Promise<void> {
    this.#isNear = true;
    this.#over ??= this.#run();
    return this.#over;
  }

  async #run(): Promise<void> {
    const all = [...this.#hosts].flatMap((host) => [...host.refuse()]);
    if (all.length === 0) return;
    const spreadMs = this.#spreadMsOf(all.length);
    this.#msEach = spreadMs / all.length;
    this.#deps.log.info({ connections: all.length, spreadMs }, 'closing connections');
    this.#shuffle(all);
    const callees = await this.#dismiss(all, ({ isCallee }) => isCallee);
    await this.#dismiss(callees, () => false);
  }

  #spreadMsOf(connections: number): number {
    const { spreadMs } = this.#times;
    if (spreadMs === undefined) return Math.min(connections * MS_EACH, MAX_SPREAD_MS);
    return Math.min(connections * MAX_MS_EACH, spreadMs);
  }

  /** @returns those that are to stay. */
  async #dismiss(departing: readonly Departing[], stays: (one: Departing) => boolean): Promise<Departing[]> {
    const staying: Departing[] = [];
    const busy: Departing[] = [];
    await this.#oneByOne(departing, (one) => {
      if (stays(one)) staying.push(one);
      else if (one.isBusy) busy.push(one);
      else this.#close(one);
    });
    await this.#oneByOne(await this.#answered(busy), (one) => this.#close(one));
    return staying;
  }

  /** Closes who has no calls in flight any more. @returns who still has, when there is no more time. */
  async #answered(busy: readonly Departing[]): Promise<readonly Departing[]> {
    let waiting = busy;
    while (waiting.length > 0 && this.#callsMs > 0) {
      const before = this.#deps.elapsed();
      await this.#deps.wait(TICK_MS);
      this.#callsMs -= this.#deps.elapsed() - before;
      for (const one of waiting) if (!one.isBusy) this.#close(one);
      waiting = waiting.filter(({ isBusy }) => isBusy);
    }
    return waiting;
  }

  async #oneByOne(departing: readonly Departing[], act: (one: Departing) => void): Promise<void> {
    const start = this.#deps.elapsed();
    let done = 0;
    for (;;) {
      const due = Math.ceil((this.#deps.elapsed() - start + 1) / this.#msEach);
      for (; done < departing.length && done < due; done++) act(departing[done] as Departing);
      if (done >= departing.length) return;
      await this.#deps.wait(TICK_MS);
    }
  }

  #close(one: Departing): void {
    one.shutdown(this.#deps.saysGoodbye);
  }

  /** So that neighbours, who came at the same time, do not come back at the same time. */
  #shuffle(all: Departing[]): void {
    for (let i = all.length - 1; i > 0; i--) {
      const j = Math.floor(this.#deps.random() * (i + 1));
      [all[i], all[j]] = [all[j] as Departing, all[i] as Departing];
    }
  }
}
