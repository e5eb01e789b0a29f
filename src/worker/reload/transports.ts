/**
 * The transports of a router worker, and how they change while it runs: what comes listens before anything goes.
 */
import { isForProxiesOnly } from '../../auth/proxy-schema.js';
import { messageOf } from '../../system/error.js';
import { isSamePlace } from '../../transport/reload/same-endpoint.js';
import { isSharedPort } from '../../transport/shared-port.js';
import { listeningSummary } from '../listening.js';
import { transportTypeOf } from '../transports.js';
import { WorkerError } from '../worker.js';
import type { EndpointConfig } from '../../transport/endpoint-schema.js';
import type { BoundAddress } from '../../transport/listen/listen.js';
import type { PathSummary } from '../../transport/offer.js';
import type { NodeFacts, Prepared } from '../../transport/reload/prepared.js';
import type { TransportServer } from '../../transport/transport-type.js';
import type { WebTransportDeps } from '../../webservice/transport-types.js';
import { routed } from '../proxy/routed.js';
import type { TransportConfig } from '../schema.js';
import type { ListeningSummary } from '../summary.js';
import type { TransportOrigin, WorkerDeps } from '../worker.js';

interface Running {
  readonly config: TransportConfig;
  /** Undefined for one that listens nowhere. */
  readonly server: TransportServer | undefined;
  /** Where; undefined for one that listens nowhere. */
  readonly bound?: BoundAddress;
  readonly listening: ListeningSummary | undefined;
}

/** A change of all transports that is ready. */
export interface PreparedTransports extends Prepared {
  /** The configs that are in force then. */
  readonly configs: readonly TransportConfig[];
  /** The ids of transports that stay, or stay away, until the next start. */
  readonly pending: readonly string[];
}

/** What transports are made with. */
export type TransportsDeps = WebTransportDeps & Pick<WorkerDeps, 'families'>;

/** Starts, changes and stops transports. */
export class Transports {
  readonly #deps: TransportsDeps;
  // id -> transport of the worker itself; those of proxies do not change
  readonly #own = new Map<string, Running>();
  readonly #foreign: Running[] = [];
  /** Every server that was told to start, also one that failed. */
  readonly #servers = new Set<TransportServer>();
  #stopped: Promise<unknown> | undefined;

  constructor(deps: TransportsDeps) {
    this.#deps = deps;
  }

  /** What listens where, in the order of the start. */
  get listening(): ListeningSummary[] {
    return [...this.#own.values(), ...this.#foreign].flatMap(({ listening }) => listening ?? []);
  }

  /** @param isOwn whether the worker itself has it in its config. @throws WorkerError */
  async start(config: TransportConfig, from: TransportOrigin, isOwn: boolean): Promise<void> {
    const running = await this.#start(config, from, this.#deps);
    if (isOwn) this.#own.set(config.id, running);
    else this.#foreign.push(running);
  }

  /** Stops all; idempotent. */
  async stop(): Promise<void> {
    this.#stopped ??= Promise.all([...this.#servers].map((server) => server.stop()));
    await this.#stopped;
  }

  /** @param placeOf where a transport stands in the config. @throws WorkerError (rejects): then all is as before. */
  async prepare(
    next: readonly TransportConfig[],
    facts: NodeFacts,
    placeOf: (id: string) => TransportOrigin,
  ): Promise<PreparedTransports> {
    const plan = new Map<string, Running>();
    const prepared: Prepared[] = [];
    const pending: string[] = [];
    const started: TransportServer[] = [];
    const stay = (running: Running): void => {
      const { config } = running;
      pending.push(config.id);
      const holder = plan.get(config.id);
      // The id may be a mere number in the order of the file, which another one has now.
      const isTaken = holder !== undefined && holder.server !== running.server;
      const id = isTaken ? `${config.id} until the restart` : config.id;
      plan.set(id, isTaken ? { ...running, config: { ...config, id } } : running);
    };
    const discard = async (): Promise<void> => {
      await Promise.all([...prepared.map((one) => one.discard()), ...started.map((server) => this.#end(server))]);
    };
    try {
      for (const config of next) {
        const before = this.#before(config, next);
        const change = before === undefined ? undefined : await this.#change(before, config, facts, placeOf(config.id));
        if (before !== undefined && change !== undefined) {
          prepared.push(change);
          const { bound } = before;
          const listening = bound && this.#listeningOf(config, bound, placeOf(config.id).worker);
          plan.set(config.id, { ...before, config, listening });
          continue;
        }
        const holder = before !== undefined && isShared(before.config) ? before : this.#holderOf(config);
        if (holder !== undefined) {
          stay(holder);
          if (holder.config.id !== config.id) pending.push(config.id);
          continue;
        }
        if (isShared(config)) {
          pending.push(config.id);
          continue;
        }
        const running = await this.#start(config, placeOf(config.id), { ...this.#deps, ...facts });
        if (running.server !== undefined) started.push(running.server);
        plan.set(config.id, running);
      }
      // The others of its port may have no listener without it.
      for (const running of this.#departing(plan)) if (isShared(running.config)) stay(running);
    } catch (error) {
      await discard();
      throw error;
    }
    return {
      configs: [...plan.values()].map(({ config }) => config),
      pending,
      discard,
      commit: () => {
        for (const one of prepared) one.commit();
        this.#replace(plan);
      },
    };
  }

  #replace(plan: ReadonlyMap<string, Running>): void {
    const before = new Map([...this.#own.values()].map((running) => [running.server, running.listening]));
    const gone = this.#departing(plan);
    for (const { server, listening } of plan.values()) {
      const last = before.get(server);
      if (listening !== undefined && last !== undefined && !isSame(pathsOf(listening), pathsOf(last)))
        this.#tell(listening, 'transport has other paths');
    }
    this.#own.clear();
    for (const [id, running] of plan) this.#own.set(id, running);
    for (const { server, config } of gone) {
      if (server === undefined) continue;
      this.#deps.log.info({ transport: config.id }, 'transport stops: the config has no such one any more');
      void this.#end(server);
    }
  }

  /** @returns those that are not in the plan. */
  #departing(plan: ReadonlyMap<string, Running>): readonly Running[] {
    const staying = new Set([...plan.values()].map(({ server }) => server));
    return [...this.#own.values()].filter(({ server }) => !staying.has(server));
  }

  async #end(server: TransportServer): Promise<void> {
    await (server.dismiss?.() ?? server.stop());
    this.#servers.delete(server);
  }

  /** @returns undefined when it takes another server, if it can change at all. */
  async #change(
    { server, config: old }: Running,
    config: TransportConfig,
    facts: NodeFacts,
    { pointer }: TransportOrigin,
  ): Promise<Prepared | undefined> {
    if (server?.prepare === undefined || old.type !== config.type || config.endpoint === undefined) {
      return old === config ? UNCHANGED : undefined;
    }
    try {
      return await server.prepare({ ...config, endpoint: config.endpoint }, facts);
    } catch (cause) {
      throw new WorkerError(`transport ${config.id} (${pointer}): ${messageOf(cause)}`, { cause });
    }
  }

  /** @returns what is to go on with a config. What is the same in two configs is the same object in both, whatever its name is now. */
  #before(config: TransportConfig, next: readonly TransportConfig[]): Running | undefined {
    const { id, endpoint } = config;
    const same = endpoint && [...this.#own.values()].find((running) => running.config.endpoint === endpoint);
    if (same !== undefined) return same;
    const named = this.#own.get(id);
    const goesOn = next.some((other) => other.endpoint !== undefined && other.endpoint === named?.config.endpoint);
    return goesOn ? undefined : named;
  }

  /** @returns the transport that listens at the place of another one, which cannot do so meanwhile. */
  #holderOf({ endpoint }: TransportConfig): Running | undefined {
    if (endpoint === undefined) return undefined;
    return [...this.#own.values()].find(({ config: { endpoint: other } }) => collide(endpoint, other));
  }

  async #start(config: TransportConfig, from: TransportOrigin, deps: TransportsDeps): Promise<Running> {
    const { worker, pointer, routes, behindFronts } = from;
    const nowhere: Running = { config, server: undefined, listening: undefined };
    if ('auth' in config && isForProxiesOnly(config.auth)) {
      deps.log.info({ transport: config.id, worker }, 'transport not started: only proxy workers could log in there');
      return nowhere;
    }
    let server: TransportServer | undefined;
    try {
      const transport = transportTypeOf(config, deps.families);
      const router = routes === undefined ? deps.router : routed(deps.router, routes);
      server = await transport.create(config, { ...deps, router, behindFronts });
      if (server === undefined) return nowhere;
      this.#servers.add(server);
      const bound = await server.start();
      if (behindFronts !== undefined) return { config, server, bound, listening: undefined };
      const listening = this.#listeningOf(config, bound, worker);
      this.#tell(listening, 'transport started');
      return { config, server, bound, listening };
    } catch (cause) {
      throw new WorkerError(`transport ${config.id} (${pointer}): ${messageOf(cause)}`, { cause });
    }
  }

  #listeningOf(config: TransportConfig, bound: BoundAddress, worker: string): ListeningSummary {
    const names = { transport: config.id, worker, type: config.type };
    return listeningSummary(names, bound, transportTypeOf(config, this.#deps.families).offer(config, bound));
  }

  #tell(listening: ListeningSummary, text: string): void {
    this.#deps.log.info({ ...listening, wamp: undefined, paths: pathsOf(listening) }, text);
  }
}

/** @returns what of the paths is for the log. */
function pathsOf({ paths }: ListeningSummary): readonly Omit<PathSummary, 'url' | 'wamp'>[] {
  return paths.map(({ path, type }) => ({ path, type }));
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

const UNCHANGED: Prepared = { commit: () => undefined, discard: () => Promise.resolve() };

/** What several transports share comes and goes with the node: before HELLO a client is nobody's. */
function isShared({ endpoint }: TransportConfig): boolean {
  return endpoint !== undefined && isSharedPort(endpoint);
}

/** Any free port is another one each time. */
function collide(one: EndpointConfig, other: EndpointConfig | undefined): boolean {
  if (other === undefined || (one.type === 'tcp' && one.port === 0)) return false;
  return isSamePlace(one, other);
}
