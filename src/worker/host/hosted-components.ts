/** The components of a router worker that run in its hosts (`worker-hosts.ts`): for each of them a link to the router. */
import { HostedComponent } from './hosted-component.js';
import { Link } from './link.js';
import { messageOf } from '../../system/error.js';
import type { HostedComponentType } from '../../component/component-type.js';
import type { ComponentConfig } from '../../component/schema.js';
import type { Router } from '../../router/router.js';
import type { WorkerDeps } from '../worker.js';
import type { WorkerHosts } from './worker-hosts.js';

/** Those of one worker. */
export class HostedComponents {
  readonly #hosts: WorkerHosts;
  readonly #deps: WorkerDeps;
  readonly #components: HostedComponent[] = [];
  readonly #links: Link[] = [];

  constructor(hosts: WorkerHosts, deps: WorkerDeps) {
    this.#hosts = hosts;
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
    const running = this.#hosts.hostFor(type.host, signal);
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

  /** Ends the components, with their hosts. Idempotent; never rejects. */
  async stop(): Promise<void> {
    for (const component of this.#components) component.stopping();
    await this.#hosts.stop();
    await Promise.all(this.#links.map((link) => link.stop()));
  }
}

/** The file descriptor of the first link, in the host. */
const FIRST_LINK = 4;
