/**
 * The components of a router worker that run in hosts: one process for each host that is needed, and for each component a link to
 * the router. A process is started with the first component that needs it. It ends once, with the worker; when it ends by itself,
 * so has the worker.
 */
import { ComponentHost } from './component-host.js';
import { HostedComponent } from './hosted-component.js';
import { Link } from './link.js';
import { messageOf } from '../../system/error.js';
import { HOST_PROGRAMS } from './programs.js';
import type { HostName, HostedComponentType } from '../../component/component-type.js';
import type { ComponentConfig } from '../../component/schema.js';
import type { Router } from '../../router/router.js';
import type { WorkerDeps } from '../worker.js';
import type { HostProgram } from './component-host.js';
import type { PythonOptions } from './python-program.js';

/** What a worker has for them. */
export interface HostedComponentsParts {
  /** The id of the worker. */
  readonly worker: string;
  readonly options: PythonOptions;
  /** The host that each component needs that runs in one. */
  readonly needs: readonly string[];
}

interface RunningHost {
  readonly host: ComponentHost;
  readonly started: Promise<void>;
  /** How many links are taken. */
  links: number;
}

/** The hosts of one worker. */
export class HostedComponents {
  readonly #parts: HostedComponentsParts;
  readonly #deps: WorkerDeps;
  readonly #hosts = new Map<HostName, RunningHost>();
  readonly #components: HostedComponent[] = [];
  readonly #links: Link[] = [];
  #stopping = false;
  #ended = false;

  constructor(parts: HostedComponentsParts, deps: WorkerDeps) {
    this.#parts = parts;
    this.#deps = deps;
  }

  /**
   * Starts a component, and its host if need be.
   *
   * @throws Error with one line for the operator; the reason of the signal (rejects).
   */
  async start(
    config: ComponentConfig,
    type: HostedComponentType,
    router: Router,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const log = this.#deps.log.child({ component: config.id });
    const running = this.#hostFor(type.host, signal);
    try {
      await running.started;
    } catch (error) {
      if (signal?.aborted !== true) log.error({ problem: messageOf(error), ...type.facts(config) }, 'component failed');
      throw error;
    }
    const { id, realm, role, authid = id, extra } = config;
    const index = running.links++;
    const { serializers } = this.#deps.families;
    this.#links.push(new Link(running.host.link(index), { realm, role, authid }, { router, serializers, log }));
    const spec = { ...type.spec(config), realm, role, authid, extra, link: FIRST_LINK + index };
    const facts = { realm, ...type.facts(config) };
    const component = new HostedComponent({ id, host: running.host, spec, log, facts });
    this.#components.push(component);
    await component.start(signal);
  }

  /** Ends the components, then their hosts. Idempotent; never rejects. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const component of this.#components) component.stopping();
    await Promise.all([...this.#hosts.values()].map(({ host }) => host.stop()));
    await Promise.all(this.#links.map((link) => link.stop()));
  }

  #hostFor(name: HostName, signal: AbortSignal | undefined): RunningHost {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const { log, warden } = this.#deps;
    const links = this.#parts.needs.filter((other) => other === name).length;
    const host = new ComponentHost(this.#program(name), {
      warden,
      log: log.child({ worker: this.#parts.worker }),
      links,
    });
    const running = { host, started: host.start(signal), links: 0 };
    // Each component that needs it hears of it by itself.
    running.started.catch(() => undefined);
    void host.ended.then(({ code }) => this.#onEnd(code !== 0));
    this.#hosts.set(name, running);
    return running;
  }

  #program(name: HostName): HostProgram {
    const { cbdir, startdir, env, log } = this.#deps;
    return HOST_PROGRAMS[name](this.#parts.options, { cbdir, startdir, env, loglevel: log.level });
  }

  #onEnd(failed: boolean): void {
    if (this.#stopping || this.#ended) return;
    this.#ended = true;
    this.#deps.ended({ failed });
  }
}

/** The file descriptor of the first link, in the host. */
const FIRST_LINK = 4;
