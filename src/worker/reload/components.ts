/**
 * The components of a router worker, and how they change while it runs.
 *
 *     prepare: what is new is loaded --fails--> nothing has changed
 *     commit:  what goes begins to end, and the worker has its new realms and rules
 *     settle:  what goes has ended -> what comes starts, in the order of the config
 *                                        +--one fails--> those that have come end, and those that went start again
 *
 * An old one and its successor are never there together: both may register the same procedures. What runs in a host stays.
 */
import { messageOf } from '../../system/error.js';
import { HostedComponents } from '../host/hosted-components.js';
import { WorkerError } from '../worker.js';
import type { Component } from '../../component/component.js';
import type { ComponentType, InNodeComponentType } from '../../component/component-type.js';
import type { ComponentConfig } from '../../component/schema.js';
import type { Router } from '../../router/router.js';
import type { WorkerHosts } from '../host/worker-hosts.js';
import type { ComponentSummary } from '../summary.js';
import type { ComponentsChange, WorkerDeps } from '../worker.js';

/** A change of all components that is ready. */
export interface PreparedComponents {
  /** What is in force then, if all of them start. */
  readonly configs: readonly ComponentConfig[];
  /** Places below `components` of the new config: what waits for the next start. */
  readonly pending: readonly number[];
  /** What goes begins to end. */
  commit(): void;
  /** Undefined where there is nothing to do. Never rejects. */
  readonly settle: (() => Promise<SettledComponents>) | undefined;
}

/** What came of a change. */
export interface SettledComponents extends ComponentsChange {
  /** What is in force. */
  readonly configs: readonly ComponentConfig[];
}

/** What they are made with. */
export interface ComponentsParts {
  /** The id of the worker. */
  readonly worker: string;
  readonly hosts: WorkerHosts;
}

interface Coming {
  readonly config: ComponentConfig;
  readonly component: Component;
  /** For the operator. */
  readonly name: string;
}

interface Plan {
  readonly configs: ReadonlySet<ComponentConfig>;
  readonly pending: readonly number[];
  readonly coming: readonly Coming[];
  readonly going: readonly ComponentConfig[];
  /** The places in the config where something is different. */
  readonly places: readonly string[];
}

/** Starts, changes and stops components. */
export class Components {
  readonly #parts: ComponentsParts;
  readonly #deps: WorkerDeps;
  readonly #hosted: HostedComponents;
  /** Those of the config, whether they run or not. */
  #configs: readonly ComponentConfig[];
  // Those that run -> undefined for those in a host
  readonly #running = new Map<ComponentConfig, Component | undefined>();
  /** Every one that was told to start and not to stop, also one that failed. */
  readonly #started = new Set<Component>();
  readonly #stopping = new AbortController();
  #settling: Promise<unknown> | undefined;

  constructor(configs: readonly ComponentConfig[], parts: ComponentsParts, deps: WorkerDeps) {
    this.#configs = configs;
    this.#parts = parts;
    this.#deps = deps;
    this.#hosted = new HostedComponents(parts.hosts, deps);
  }

  /** Those that run, in the order of the config. */
  get summary(): ComponentSummary[] {
    const { worker } = this.#parts;
    return this.#configs
      .filter((config) => this.#running.has(config))
      .map(({ id, type, realm, role }) => ({ component: id, worker, type, realm, role }));
  }

  /** Starts all, one after the other. @throws WorkerError when one cannot start and the node does not outlive that (rejects). */
  async start(router: Router, signal: AbortSignal | undefined): Promise<void> {
    for (const [index, config] of this.#configs.entries()) await this.#startOne(config, index, router, signal);
  }

  async #startOne(
    config: ComponentConfig,
    index: number,
    router: Router,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const kind = this.#kindOf(config);
    try {
      if ('host' in kind) {
        await this.#hosted.start(config, kind, router, signal);
        this.#running.set(config, undefined);
        return;
      }
      const component = await this.#create(config, kind, router);
      signal?.throwIfAborted();
      this.#started.add(component);
      await component.start(signal);
      this.#running.set(config, component);
    } catch (cause) {
      if (signal?.aborted === true || !this.#deps.outlivesFailures()) {
        throw new WorkerError(`${this.#nameOf(config, index)}: ${messageOf(cause)}`, { cause });
      }
      this.#deps.log.warn({ component: config.id }, 'node goes on without a component');
    }
  }

  /**
   * @param router has the new realms already.
   * @param restarts whether components may change; without it `next` has the same ones as before.
   * @throws WorkerError (rejects) when one cannot be loaded: all is as before.
   */
  async prepare(next: readonly ComponentConfig[], router: Router, restarts: boolean): Promise<PreparedComponents> {
    if (!restarts) return { configs: this.#configs, pending: [], commit: () => undefined, settle: undefined };
    const plan = await this.#plan(next, router);
    const { configs, pending, coming, going } = plan;
    const idle = coming.length + going.length === 0;
    return {
      configs: [...configs],
      pending,
      commit: () => {
        // Their realms may go in the same step: that they leave is no news then.
        for (const config of going) void this.#running.get(config)?.stop();
      },
      settle: idle
        ? undefined
        : () => {
            const settling = this.#settle(plan, router);
            this.#settling = settling;
            return settling;
          },
    };
  }

  async #plan(next: readonly ComponentConfig[], router: Router): Promise<Plan> {
    const before = this.#configs;
    const configs = new Set<ComponentConfig>();
    const pending: number[] = [];
    const coming: Coming[] = [];
    const places: string[] = [];
    for (const [index, config] of next.entries()) {
      const old = before.find((other) => other === config) ?? before.find(({ id }) => id === config.id);
      const kind = this.#kindOf(config);
      if ('host' in kind || (old !== undefined && 'host' in this.#kindOf(old))) {
        if (old !== config) pending.push(index);
        if (old !== undefined) configs.add(old);
        continue;
      }
      configs.add(config);
      // One that has failed gets another chance.
      if (this.#running.has(config)) continue;
      const [name, component] = [this.#nameOf(config, index), await this.#create(config, kind, router)];
      await component.load().catch((cause: unknown) => {
        throw new WorkerError(`${name}: ${messageOf(cause)}`, { cause });
      });
      coming.push({ config, component, name });
      places.push(this.#placeOf(index));
    }
    for (const [index, config] of before.entries()) {
      if (configs.has(config)) continue;
      if ('host' in this.#kindOf(config)) {
        configs.add(config);
        pending.push(index);
      } else if (!next.some(({ id }) => id === config.id)) places.push(this.#placeOf(index));
    }
    const going = before.filter((config) => !configs.has(config));
    return { configs, pending, coming, going, places };
  }

  async #settle({ configs, coming, going, places }: Plan, router: Router): Promise<SettledComponents> {
    const before = this.#configs;
    const wasRunning = going.filter((config) => this.#running.has(config));
    await Promise.all(going.map((config) => this.#end(config)));
    this.#configs = [...configs];
    const come: ComponentConfig[] = [];
    for (const { config, component, name } of coming) {
      const problem = await this.#run(config, component);
      if (problem === undefined) {
        come.push(config);
        continue;
      }
      const problems = [`${name}: ${problem}`];
      if (this.#stopping.signal.aborted)
        return { configs: before, started: [], stopped: [], problems, pending: places };
      await Promise.all([component.stop(), ...come.map((other) => this.#end(other))]);
      this.#started.delete(component);
      this.#configs = before;
      problems.push(...(await this.#comeBack(wasRunning, router)));
      return { configs: before, started: [], stopped: [], problems, pending: places };
    }
    const started = come.map(({ id }) => id);
    const stopped = wasRunning.map(({ id }) => id).filter((id) => !started.includes(id));
    return { configs: this.#configs, started, stopped, problems: [], pending: [] };
  }

  /** @returns what keeps those from running again that have ended. */
  async #comeBack(configs: readonly ComponentConfig[], router: Router): Promise<string[]> {
    const problems: string[] = [];
    for (const config of configs) {
      const kind = this.#kindOf(config);
      if ('host' in kind) continue;
      const problem = await this.#run(config, await this.#create(config, kind, router));
      if (problem !== undefined) problems.push(`component ${config.id}, as it was before: ${problem}`);
      else this.#deps.log.warn({ component: config.id }, 'component runs again with its old config');
    }
    return problems;
  }

  /** @returns what keeps it from running. Never rejects. */
  async #run(config: ComponentConfig, component: Component): Promise<string | undefined> {
    const { signal } = this.#stopping;
    try {
      signal.throwIfAborted();
      this.#started.add(component);
      await component.start(signal);
      this.#running.set(config, component);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  async #end(config: ComponentConfig): Promise<void> {
    const component = this.#running.get(config);
    if (component === undefined) return;
    await component.stop();
    this.#running.delete(config);
    this.#started.delete(component);
    this.#deps.log.info({ component: config.id }, 'component stopped');
  }

  async #create(config: ComponentConfig, type: InNodeComponentType, router: Router): Promise<Component> {
    const { Component } = await import('../../component/component.js');
    const { cbdir, log } = this.#deps;
    return new Component(config, { type, router, cbdir, log });
  }

  #kindOf({ type }: ComponentConfig): ComponentType {
    return this.#deps.families.components[type];
  }

  #placeOf(index: number): string {
    return `${this.#deps.pointer}/components/${String(index)}`;
  }

  #nameOf({ id }: ComponentConfig, index: number): string {
    return `component ${id} (${this.#placeOf(index)})`;
  }

  /** Ends all, with their hosts. A start under way is given up. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node stops'));
    await this.#settling;
    await Promise.all([...[...this.#started].map((component) => component.stop()), this.#hosted.stop()]);
  }
}
