/**
 * The process that all components of a kind in a container share. It is started when the first of them needs it, and again when it
 * has ended and one of them is started again.
 */
import { ComponentHost } from '../host/component-host.js';
import type { ComponentHostDeps, HostProgram } from '../host/component-host.js';

/** One process at a time. */
export class SharedHost {
  readonly #program: HostProgram;
  readonly #deps: ComponentHostDeps;
  #current: ComponentHost | undefined;
  #started: Promise<ComponentHost> | undefined;
  #stopped = false;

  constructor(program: HostProgram, deps: ComponentHostDeps) {
    this.#program = program;
    this.#deps = deps;
  }

  /** @returns the process, which has said hello. @throws Error (rejects) with one line for the operator. */
  running(signal?: AbortSignal): Promise<ComponentHost> {
    if (this.#stopped) return Promise.reject(new Error('the container is stopped'));
    this.#started ??= this.#start(signal);
    return this.#started;
  }

  /** Ends the process for good. Idempotent; never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#current?.stop();
  }

  async #start(signal: AbortSignal | undefined): Promise<ComponentHost> {
    const host = new ComponentHost(this.#program, this.#deps);
    this.#current = host;
    void host.ended.then(() => this.#forget(host));
    try {
      await host.start(signal);
      return host;
    } catch (error) {
      this.#forget(host);
      throw error;
    }
  }

  #forget(host: ComponentHost): void {
    if (this.#current !== host) return;
    this.#current = undefined;
    this.#started = undefined;
  }
}
