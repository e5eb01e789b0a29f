/**
 * A process that is kept running: started again, after a while, when it ends and its policy says so, and at once when somebody asks
 * for it. It knows nothing of what the process is for.
 *
 *     starting -> running -> ended -> (policy) waiting -> starting
 *                                  -> (none)   idle    -> starting, when `restart` asks for it
 *     any of them -> stopped
 */
import { setTimeout as delay } from 'node:timers/promises';

import { BackOff } from '../../system/process/back-off.js';
import type { ProcessEnd, SupervisedProcess } from '../../system/process/supervised.js';

/** When a process is started again that has ended by itself. */
export type RestartPolicy = 'no' | 'on-failure' | 'always';

/** What is kept, and who is told. */
export interface KeptProcessOptions {
  readonly restart: RestartPolicy;
  /** How long it has after SIGTERM, in milliseconds. */
  readonly graceMs: number;
  /** Starts it once. A rejection counts as an end with a failure. */
  readonly start: () => Promise<SupervisedProcess>;
  readonly onStarted: (process: SupervisedProcess) => void;
  readonly onStartFailed: (error: unknown) => void;
  /** @param asked whether the node ended it. */
  readonly onEnded: (process: SupervisedProcess, end: ProcessEnd, asked: boolean) => void;
  readonly onRestart: (waitMs: number) => void;
  readonly onKilled: (process: SupervisedProcess) => void;
  /** It has ended by itself, and the policy does not start it again. */
  readonly onGone: (failed: boolean) => void;
}

/** Keeps one process. */
export class KeptProcess {
  readonly #options: KeptProcessOptions;
  readonly #backOff = new BackOff(() => performance.now());
  #process: SupervisedProcess | undefined;
  #kept: Promise<void> | undefined;
  #stopped = false;
  /** Somebody asked for a restart that has not been made. */
  #asked = false;
  /** Ends the waiting for a restart. */
  #wake: () => void = () => undefined;

  constructor(options: KeptProcessOptions) {
    this.#options = options;
  }

  /** Starts it for the first time. @returns when it runs, or could not be started */
  async start(): Promise<void> {
    if (this.#stopped) return;
    const first = this.#startOnce();
    this.#kept = this.#keep(first);
    await first;
  }

  /** Ends it, and starts it when nobody of it is left; one that has ended is started. */
  restart(): void {
    if (this.#stopped || this.#asked) return;
    this.#asked = true;
    void this.#end();
    this.#wake();
  }

  /** Ends it for good. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#end();
    await this.#kept;
  }

  async #keep(first: Promise<void>): Promise<void> {
    await first;
    for (;;) {
      const failed = await this.#ended();
      if (!this.#stopped && !this.#asked) await this.#wait(failed);
      if (this.#stopped) return;
      this.#asked = false;
      await this.#startOnce();
    }
  }

  /** @returns, when it has ended, whether that was a failure */
  async #ended(): Promise<boolean> {
    const running = this.#process;
    if (running === undefined) return true;
    const end = await running.ended;
    this.#process = undefined;
    this.#options.onEnded(running, end, this.#stopped || this.#asked);
    return end.code !== 0;
  }

  async #startOnce(): Promise<void> {
    try {
      const running = await this.#options.start();
      this.#process = running;
      this.#backOff.started();
      this.#options.onStarted(running);
      // It was stopped meanwhile.
      if (this.#stopped || this.#asked) void this.#end();
    } catch (error) {
      this.#options.onStartFailed(error);
    }
  }

  /** Waits until it is to be started again, or stopped. */
  async #wait(failed: boolean): Promise<void> {
    const { restart, onRestart, onGone } = this.#options;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    if (restart === 'always' || (restart === 'on-failure' && failed)) {
      const waitMs = this.#backOff.ended();
      onRestart(waitMs);
      await delay(waitMs, undefined, { signal: woken.signal }).catch(() => undefined);
      return;
    }
    onGone(failed);
    if (this.#stopped || this.#asked) return;
    await new Promise<void>((resolve) => woken.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  async #end(): Promise<void> {
    const running = this.#process;
    if (running !== undefined && (await running.end(this.#options.graceMs))) this.#options.onKilled(running);
  }
}
