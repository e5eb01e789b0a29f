/**
 * A component of a container, kept as `restart` of the container says. It knows neither its language nor its process.
 *
 *     starting -> joined -> ready -> ended -> (restart) waiting -> starting
 *        +-----------+--------+---------^  -> (none)    gone
 *     any of them -> stopped
 */
import { BackOff } from '../../system/process/back-off.js';
import { messageOf } from '../../system/error.js';
import { systemScheduler } from '../scheduler.js';
import type { Logger } from '../../log/logger.js';
import type { ComponentEvents, ComponentHost } from '../host/component-host.js';
import type { ComponentFailure, JoinedFacts } from '../host/messages.js';
import type { ContainerRestart } from './schema.js';

/** How long the start of the container waits for a component that has not joined. */
const JOIN_MS = 10_000;
/** How much longer, when it has joined: there are components whose start never ends. */
const READY_MS = 5000;

/** What is kept, and who is told. */
export interface KeptComponentDeps {
  readonly id: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly restart: ContainerRestart;
  /** Has the worker and the component in its fields. */
  readonly log: Logger;
  /** @returns the process that runs it. */
  readonly host: () => Promise<ComponentHost>;
  /** It has ended, and is not started again. */
  readonly onGone: (failed: boolean) => void;
}

/** Who waits for a start. */
interface StartWaiter {
  readonly joined: () => void;
  /** It is ready, or has ended. */
  readonly settled: () => void;
}

const NOBODY: StartWaiter = { joined: () => undefined, settled: () => undefined };

/** Keeps one component. */
export class KeptComponent {
  readonly #deps: KeptComponentDeps;
  readonly #backOff = new BackOff(() => performance.now());
  #joined: JoinedFacts | undefined;
  #stopped = false;
  #cancelRestart: () => void = () => undefined;

  constructor(deps: KeptComponentDeps) {
    this.#deps = deps;
  }

  /** As whom it has joined; undefined when it has not, or not any more. */
  get joined(): JoinedFacts | undefined {
    return this.#joined;
  }

  /** Starts it for the first time. @returns when it is ready, has ended, or takes its time */
  start(): Promise<void> {
    return new Promise((resolve) => {
      let cancel = systemScheduler.after(JOIN_MS, () => {
        this.#deps.log.warn({ waitedMs: JOIN_MS }, 'component has not joined yet: the start goes on without it');
        resolve();
      });
      void this.#startOnce({
        joined: () => {
          cancel();
          cancel = systemScheduler.after(READY_MS, resolve);
        },
        settled: () => {
          cancel();
          resolve();
        },
      });
    });
  }

  /** It is not started any more. The end of its process ends it. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRestart();
  }

  async #startOnce(on: StartWaiter): Promise<void> {
    const { id, spec, host } = this.#deps;
    this.#backOff.started();
    const events = this.#events(on);
    try {
      (await host()).startComponent(id, spec, events);
    } catch (error) {
      events.failed({ stage: 'process', problem: messageOf(error) });
    }
  }

  #events({ joined, settled }: StartWaiter): ComponentEvents {
    const { log } = this.#deps;
    return {
      joined: (facts) => {
        this.#joined = facts;
        const { session: sessionId, ...who } = facts;
        log.info({ sessionId, ...who }, 'component joined');
        joined();
      },
      ready: () => {
        log.info('component started');
        settled();
      },
      failed: (failure) => {
        this.#onFailed(failure);
        settled();
      },
      left: ({ reason, clean }) => {
        this.#joined = undefined;
        log[clean || this.#stopped ? 'info' : 'warn']({ reason }, 'component left its realm');
        this.#ended(!clean);
        settled();
      },
    };
  }

  #onFailed(failure: ComponentFailure): void {
    this.#joined = undefined;
    if (!this.#stopped) this.#deps.log.error(failure, 'component failed');
    this.#ended(true);
  }

  #ended(failed: boolean): void {
    if (this.#stopped) return;
    const { restart, log, onGone } = this.#deps;
    if (restart === 'restart-never' || (restart === 'restart-on-failed' && !failed)) return onGone(failed);
    const waitMs = this.#backOff.ended();
    log.info({ waitMs }, 'component will be started again');
    this.#cancelRestart = systemScheduler.after(waitMs, () => void this.#startOnce(NOBODY));
  }
}
