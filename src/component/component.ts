/**
 * One component of the config that runs in this process, from its function to its end.
 *
 *     start: load the function -> join the realm -> call the function, and wait for what it returns
 *     start given up: its session ends, even in the middle of the function
 *     stop:  GOODBYE wamp.close.system_shutdown -> `onleave` -> `stop` of what the function returned, two seconds at most
 *
 * A component that leaves, or whose session is killed, in between is no concern of the node: it says so and goes on.
 */
import { CallError, Result } from '../client/api.js';
import { connectLocal } from '../client/connect.js';
import type { Logger } from '../log/logger.js';
import type { Router } from '../router/router.js';
import type { ComponentFunction, ComponentHooks } from '../client/api.js';
import type { LocalClient } from '../client/connect.js';
import type { AnyComponentConfig, ComponentTypeDeps, InNodeComponentType } from './component-type.js';

/** A component may have to wait for a database; one that never comes up must not keep the node from saying so. */
const START_MS = 60_000;

/** How long `stop` of a component is waited for. */
const STOP_MS = 2000;

export interface ComponentDeps extends ComponentTypeDeps {
  readonly type: InNodeComponentType;
  readonly router: Router;
  readonly log: Logger;
}

/** One component of the config. Created without side effects; `start` once, `stop` at any time. */
export class Component {
  readonly #config: AnyComponentConfig;
  readonly #deps: ComponentDeps;
  readonly #log: Logger;
  /** From when the realm is joined. */
  #joining: Promise<LocalClient> | undefined;
  #hooks: ComponentHooks | undefined;
  #loaded: Promise<ComponentFunction> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: AnyComponentConfig, deps: ComponentDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#log = deps.log.child({ component: config.id });
  }

  /** Finds its function, which `start` does otherwise. @throws the error that keeps it from being loaded (rejects). */
  async load(): Promise<void> {
    await within(START_MS, this.#load(), `was not loaded within ${START_MS / 1000} seconds`);
  }

  /**
   * @param signal gives the start up.
   * @throws the error that keeps it from starting, or the reason of the signal (rejects).
   */
  async start(signal?: AbortSignal): Promise<void> {
    const { realm } = this.#config;
    const facts = this.#deps.type.facts(this.#config);
    try {
      await within(START_MS, this.#run(), `did not start within ${START_MS / 1000} seconds`, signal);
    } catch (err) {
      if (signal?.aborted === true) {
        this.#log.warn(facts, 'component had not started yet when the node was stopped');
        throw err;
      }
      this.#log.error({ err, ...facts }, 'component failed to start');
      throw err;
    }
    this.#log.info({ realm, ...facts }, 'component started');
  }

  /** Idempotent, also after a failed start; never rejects. */
  async stop(): Promise<void> {
    if (this.#joining !== undefined) this.#stopped ??= this.#stop(this.#joining);
    await this.#stopped;
  }

  async #stop(joining: Promise<LocalClient>): Promise<void> {
    try {
      await within(STOP_MS, this.#end(joining), `did not stop within ${STOP_MS / 1000} seconds`);
    } catch (err) {
      this.#log.error({ err }, 'component failed to stop');
    }
  }

  #load(): Promise<ComponentFunction> {
    const { type, cbdir } = this.#deps;
    this.#loaded ??= type.load(this.#config, { cbdir });
    return this.#loaded;
  }

  async #run(): Promise<void> {
    const { id, realm, role, authid = id, extra } = this.#config;
    const { cbdir, router } = this.#deps;
    const run = await this.#load();
    const principal = { realm, role, authid, kind: 'component' } as const;
    this.#joining = connectLocal({ router, log: this.#log }, principal);
    const { session, over } = await this.#joining;
    void over.then((reason) => this.#left(reason));
    const hooks: unknown = await run(session, { id, extra, cbdir, log: this.#log, CallError, Result });
    if (typeof hooks === 'object' && hooks !== null) this.#hooks = hooks;
    // It came up when nobody waited for it any more.
    if (this.#stopped !== undefined) await this.#hooks?.stop?.();
  }

  async #end(joining: Promise<LocalClient>): Promise<void> {
    let client: LocalClient;
    try {
      client = await joining;
    } catch {
      // It was not let in, and the start has told why.
      return;
    }
    client.shutdown();
    await client.over;
    await this.#hooks?.stop?.();
  }

  #left(reason: string): void {
    if (this.#stopped === undefined) this.#log.warn({ reason }, 'component left its realm');
  }
}

/** @throws Error with `text` when the time is over, or the reason of the signal (rejects). */
async function within<T>(ms: number, work: Promise<T>, text: string, signal?: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let giveUp: (() => void) | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(text)), ms);
    giveUp = () => reject(signal?.reason as Error);
    if (signal?.aborted === true) giveUp();
    else signal?.addEventListener('abort', giveUp);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
  }
}
