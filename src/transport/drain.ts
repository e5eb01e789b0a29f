/**
 * The end of all connections of a node that stops, or of a part of it that a reload removes: one by one, so that clients that come back
 * do not come all at once. They are closed without GOODBYE, because clients take that, as they take ABORT, for a wish that they stay away.
 *
 *     announce: nothing changes, but that whoever asks is told that the end is near
 *     run: nobody new is let in -> all connections of all hosts end (`drain/dismissal.ts`)
 *     part: the same for some hosts; where the node stops meanwhile, their connections end with all others
 *
 * Hosts join when they are made, because a callee on one transport is there for the callers on another. It knows no
 * sockets and no frames.
 */
import type { Logger } from '../log/logger.js';
import { Dismissal } from './drain/dismissal.js';
import type { Departing } from './drain/dismissal.js';
import type { DrainConfig } from './drain/schema.js';

export type { Departing } from './drain/dismissal.js';

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

const DEFAULT_TIMES: DrainTimes = { delayMs: 0, spreadMs: undefined, callsMs: 5000 };

/** Ends the connections of a node one by one when it stops, and those of its parts when they go. */
export class Drain {
  readonly #deps: DrainDeps;
  readonly #hosts = new Set<DrainedHost>();
  readonly #times: DrainTimes;
  #isNear = false;
  #over: Promise<void> | undefined;
  /** Those whose end is about to begin, and when it has. */
  readonly #leaving = new Set<DrainedHost>();
  #partsOver: Promise<void> | undefined;

  constructor(deps: DrainDeps) {
    this.#deps = deps;
    this.#times = deps.times ?? DEFAULT_TIMES;
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

  /** Whoever asks is told that the end is near. */
  near(): void {
    this.#isNear = true;
  }

  /** Resolves when it is time to {@link run}: load balancers have had the time to notice. */
  async announce(): Promise<void> {
    this.near();
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

  /**
   * Ends the connections of a host that the config has no longer, while the node goes on. Hosts that are named in the same turn of the
   * event loop end together, callees last. Resolves when the end of each connection has begun; never rejects.
   */
  part(host: DrainedHost): Promise<void> {
    this.#leaving.add(host);
    this.#partsOver ??= Promise.resolve().then(() => this.#runParts());
    return this.#partsOver;
  }

  async #run(): Promise<void> {
    await this.#end([...this.#hosts], 'closing connections');
  }

  async #runParts(): Promise<void> {
    const hosts = [...this.#leaving];
    this.#leaving.clear();
    this.#partsOver = undefined;
    if (this.#over === undefined) {
      await this.#end(hosts, 'closing connections of what the config has no longer', () => this.#over !== undefined);
    }
    await this.#over;
  }

  async #end(hosts: readonly DrainedHost[], message: string, isOver?: () => boolean): Promise<void> {
    const all = hosts.flatMap((host) => [...host.refuse()]);
    if (all.length === 0) return;
    const { callsMs } = this.#times;
    const spreadMs = this.#spreadMsOf(all.length);
    this.#deps.log.info({ connections: all.length, spreadMs }, message);
    await new Dismissal(this.#deps, { spreadMs, callsMs, isOver }).of(all);
  }

  #spreadMsOf(connections: number): number {
    const { spreadMs } = this.#times;
    if (spreadMs === undefined) return Math.min(connections * MS_EACH, MAX_SPREAD_MS);
    return Math.min(connections * MAX_MS_EACH, spreadMs);
  }
}
