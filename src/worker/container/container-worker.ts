/**
 * The worker `container`: components in processes of their own, which connect to a router as any client does. The components of a
 * language share a process (`shared-host.ts`); each of them is kept as the container says (`kept-component.ts`).
 *
 * A component that fails has a line in the log, and takes nobody down, unless `shutdown` of the container, and then that of the
 * controller, say so.
 */
import { endpointOf } from '../../remote/endpoint.js';
import { HOST_PROGRAMS } from '../host/programs.js';
import { KeptComponent } from './kept-component.js';
import { SharedHost } from './shared-host.js';
import type { HostName } from '../../component/component-type.js';
import type { ContainedComponentConfig } from '../../component/container-schema.js';
import type { Logger } from '../../log/logger.js';
import type { Worker, WorkerDeps, WorkerOffer, WorkerType } from '../worker.js';
import type { ContainerShutdown, ContainerWorkerConfig } from './schema.js';

class ContainerWorker implements Worker {
  readonly #config: ContainerWorkerConfig;
  readonly #deps: WorkerDeps;
  readonly #log: Logger;
  readonly #hosts = new Map<HostName, SharedHost>();
  readonly #components: readonly { readonly config: ContainedComponentConfig; readonly kept: KeptComponent }[];
  /** Those that have ended for good. */
  #gone = 0;
  #anyFailed = false;
  #isOver = false;
  #stopped: Promise<void> | undefined;

  constructor(config: ContainerWorkerConfig, deps: WorkerDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#log = deps.log.child({ worker: config.id });
    this.#components = config.components.map((component) => ({ config: component, kept: this.#keep(component) }));
  }

  get summary(): WorkerOffer {
    const components = this.#components.flatMap(({ config: { id, type }, kept }) => {
      const { joined } = kept;
      if (joined === undefined) return [];
      return [{ component: id, worker: this.#config.id, type, realm: joined.realm, role: joined.authrole }];
    });
    return { listening: [], realms: [], components };
  }

  async start(signal?: AbortSignal): Promise<void> {
    for (const { kept } of this.#components) {
      signal?.throwIfAborted();
      if (this.#isOver || this.#stopped !== undefined) return;
      await Promise.race([kept.start(), aborted(signal)]);
    }
    signal?.throwIfAborted();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #shutDown(): Promise<void> {
    for (const { kept } of this.#components) kept.stop();
    await Promise.all([...this.#hosts.values()].map((host) => host.stop()));
  }

  #keep(component: ContainedComponentConfig): KeptComponent {
    return new KeptComponent({
      id: component.id,
      spec: specOf(component),
      restart: this.#config.options.restart,
      log: this.#log.child({ component: component.id }),
      host: () => this.#hostFor(component).running(),
      onGone: (failed) => this.#onGone(failed),
    });
  }

  #hostFor({ type }: ContainedComponentConfig): SharedHost {
    const { families, cbdir, startdir, env, warden } = this.#deps;
    const kind = families.components[type];
    // What would run in the node itself runs in the host of the same language.
    const name = 'host' in kind ? kind.host : 'node';
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const program = HOST_PROGRAMS[name](this.#config.options, { cbdir, startdir, env });
    const host = new SharedHost(program, { warden, log: this.#log, links: 0 });
    this.#hosts.set(name, host);
    return host;
  }

  #onGone(failed: boolean): void {
    this.#gone += 1;
    this.#anyFailed ||= failed;
    const isLast = this.#gone === this.#components.length;
    if (this.#isOver || !endsContainer(this.#config.options.shutdown, { failed, isLast })) return;
    this.#isOver = true;
    const { shutdown } = this.#config.options;
    this.#log.info({ shutdown }, 'container ends: its components have');
    void this.stop().then(() => this.#deps.ended({ failed: this.#anyFailed }));
  }
}

/** @returns what the host is told of a component. */
function specOf(config: ContainedComponentConfig): Readonly<Record<string, unknown>> {
  const { transport } = config;
  return { ...config, transport: { ...transport, endpoint: endpointOf(transport) } };
}

/** @returns whether a container ends with a component that has ended for good. */
function endsContainer(shutdown: ContainerShutdown, { failed, isLast }: { failed: boolean; isLast: boolean }): boolean {
  switch (shutdown) {
    case 'shutdown-manual':
      return false;
    case 'shutdown-on-last-component-stopped':
      return isLast;
    case 'shutdown-on-any-component-failed':
      return failed;
    case 'shutdown-on-any-component-stopped':
      return true;
  }
}

/** @returns when the start is given up. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
}

/** The config word `container`. */
export const containerWorkerType: WorkerType<ContainerWorkerConfig> = {
  type: 'container',
  startsLast: true,
  create: (config, deps) => new ContainerWorker(config, deps),
  cookieSections: () => [],
  privateFiles: ({ components }) => components.flatMap(({ transport }) => keysOf(transport)),
};

function keysOf({ endpoint }: ContainedComponentConfig['transport']): string[] {
  if (endpoint?.type !== 'tcp' || endpoint.tls?.key === undefined) return [];
  return [endpoint.tls.key];
}
