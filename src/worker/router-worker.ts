/**
 * The worker `router`: realms in this process, the components that belong to them, here or in a host, and the transports that lead
 * to them. Realms of different workers are separate, even of the same name: a router knows only its own.
 *
 *     start: realms -> components, so that they are there when the first client comes -> transports
 *     stop:  every transport stops listening and its connections are closed -> every component, and the web applications
 */
import { getHeapStatistics } from 'node:v8';

import { RepeatedLog } from '../log/repeated.js';
import { BUDGET_LIMITS } from '../router/budget.js';
import { roleOf } from '../router/access.js';
import { Router } from '../router/router.js';
import { SharedLogins } from '../auth/shared-logins.js';
import { cookieProcedures } from '../session/cookie-procedures.js';
import { loginProcedures } from '../session/login-procedures.js';
import { ManagedCookies } from '../cookie/management.js';
import { monitorProcedures } from '../monitor/procedures.js';
import { createRandomId } from '../system/random.js';
import { ApartWorker } from './apart/apart-worker.js';
import { hasOwnProcess } from './apart/own-process.js';
import { HostedApplications } from './host/hosted-applications.js';
import { WorkerHosts } from './host/worker-hosts.js';
import { routerSamples } from './router-samples.js';
import { systemScheduler } from './scheduler.js';
import type { CertificateFile } from '../monitor/source.js';
import { certificatesOf, keyFilesOf, transportTypeOf } from './transports.js';
import { Components } from './reload/components.js';
import { prepareRealms } from './reload/realms.js';
import { Transports } from './reload/transports.js';
import { WorkerError } from './worker.js';
import type { PreparedWorker, ReloadFacts } from './worker.js';
import type { RouterWorkerConfig } from './schema.js';
import type { RealmSummary } from './summary.js';
import type { TransportOrigin, Worker, WorkerDeps, WorkerOffer, WorkerType } from './worker.js';

class RouterWorker implements Worker {
  #config: RouterWorkerConfig;
  readonly #deps: WorkerDeps;
  #router: Router | undefined;
  #transports: Transports | undefined;
  readonly #hosts: WorkerHosts;
  readonly #components: Components;
  #applications: HostedApplications | undefined;
  #endSamples: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: RouterWorkerConfig, deps: WorkerDeps) {
    this.#config = config;
    this.#deps = deps;
    const { id: worker, options, components } = config;
    const types = components.map(({ type }) => deps.families.components[type]);
    const needs = types.flatMap((type) => ('host' in type ? [type.host] : []));
    this.#hosts = new WorkerHosts({ worker, options, needs }, deps);
    this.#components = new Components(components, { worker, hosts: this.#hosts }, deps);
  }

  get summary(): WorkerOffer {
    return { listening: this.#transports?.listening ?? [], realms: this.#realms, components: this.#components.summary };
  }

  get #realms(): RealmSummary[] {
    const { id, realms } = this.#config;
    return realms.map(({ name, roles }) => ({ realm: name, worker: id, roles: roles.map((role) => role.name) }));
  }

  async start(signal?: AbortSignal): Promise<void> {
    const { log, pointer } = this.#deps;
    const { id } = this.#config;
    const managedCookies = new ManagedCookies();
    const logins = new SharedLogins(Date.now);
    const router = this.#createRouter(managedCookies, logins);
    this.#router = router;
    this.#deps.clients.serve(router);
    this.#endSamples = this.#deps.metrics.add(() => routerSamples(router));
    for (const realm of this.#realms) log.info(realm, 'realm started');
    await this.#components.start(router, signal);
    const applications = new HostedApplications(this.#hosts, this.#deps, signal);
    this.#applications = applications;
    const transports = new Transports({ ...this.#deps, router, managedCookies, logins, applications });
    this.#transports = transports;
    for (const [index, transport] of this.#config.transports.entries()) {
      signal?.throwIfAborted();
      await transports.start(transport, { worker: id, pointer: `${pointer}/transports/${index}` }, true);
    }
    const certificates = (): readonly CertificateFile[] => certificatesOf(this.#config.transports);
    this.#deps.monitor.add({
      worker: id,
      cookies: managedCookies,
      refused: logins.refused,
      // Others after a reload.
      get certificates() {
        return certificates();
      },
      get inventories() {
        return router.realms.map(({ inventory }) => inventory);
      },
    });
    this.#deps.routers.set(id, {
      takeOver: (transport, from) => transports.start(transport, from, false),
      stopTransports: () => transports.stop(),
      get inventories() {
        return router.realms.map(({ inventory }) => inventory);
      },
    });
  }

  #createRouter(managedCookies: ManagedCookies, logins: SharedLogins): Router {
    const { log, authenticators, monitor, metrics, uplinks } = this.#deps;
    const repeated = new RepeatedLog(log);
    const admits = (realm: string, role: string): boolean => roleOf(router, realm, role)?.isBuiltIn === false;
    const router: Router = new Router(this.#config.realms, {
      management: {
        ...cookieProcedures(managedCookies, log),
        ...loginProcedures({ logins, admits, log }),
        ...monitorProcedures(monitor, log),
      },
      randomId: createRandomId(),
      clock: Date.now,
      scheduler: systemScheduler,
      authenticators,
      refused: (realm, { id: sessionId, authrole }, procedure) => {
        const facts = { realm, sessionId, authrole, procedure };
        repeated.say('warn', facts, 'registration of an authenticator or authorizer refused');
      },
      ...uplinks,
      countsOf: (realm) => metrics.realm(realm),
      maxKeptBytes: this.#config.options.max_kept_bytes ?? defaultKeptBytes(),
    });
    return router;
  }

  /** See {@link Worker.prepareReload}. */
  async prepareReload(next: RouterWorkerConfig, facts: ReloadFacts): Promise<PreparedWorker<RouterWorkerConfig>> {
    const [router, transports] = [this.#router, this.#transports];
    if (router === undefined || transports === undefined) throw new WorkerError('the worker has not started');
    const { pointer } = this.#deps;
    const realms = prepareRealms(router, this.#config.realms, next.realms, facts.authenticators);
    try {
      const components = await this.#components.prepare(next.components, router, facts.restartsComponents);
      // One that is gone, and stays until the restart, has the place that it had.
      const indexes = new Map(
        [this.#config, next].flatMap(({ transports }) => transports.map(({ id }, index) => [id, index] as const)),
      );
      const placeOf = (id: string): TransportOrigin => ({
        worker: next.id,
        pointer: `${pointer}/transports/${String(indexes.get(id))}`,
      });
      const ready = await transports.prepare(next.transports, facts, placeOf);
      const config = { ...next, transports: ready.configs, components: components.configs };
      const { settle } = components;
      return {
        config,
        pending: [
          ...realms.pending.map((place) => `${pointer}/realms/${place}`),
          ...components.pending.map((index) => `${pointer}/components/${String(index)}`),
          ...ready.pending.map((id) => placeOf(id).pointer),
        ],
        discard: async () => {
          await ready.discard();
          realms.discard();
        },
        commit: () => {
          components.commit();
          // Those who are let in by the new transports find the new rules.
          const loss = realms.commit();
          ready.commit();
          this.#config = config;
          return loss;
        },
        ...(settle && {
          settle: async () => {
            const { configs, ...change } = await settle();
            this.#config = { ...config, components: configs };
            return { ...change, config: this.#config };
          },
        }),
      };
    } catch (error) {
      realms.discard();
      throw error;
    }
  }

  stop(drained?: Promise<unknown>): Promise<void> {
    this.#stopped ??= this.#shutDown(drained);
    return this.#stopped;
  }

  async #shutDown(drained: Promise<unknown> | undefined): Promise<void> {
    await Promise.all([drained, this.#transports?.stop()]);
    await this.#components.stop();
    await this.#applications?.stop();
    this.#endSamples?.();
  }
}

/** What a router keeps for its clients leaves most of the heap to everything else. */
function defaultKeptBytes(): number {
  return Math.min(BUDGET_LIMITS.inAll, Math.floor(getHeapStatistics().heap_size_limit / 4));
}

/** The config word `router`. */
export const routerWorkerType: WorkerType<RouterWorkerConfig> = {
  type: 'router',
  create: (config, deps) => (hasOwnProcess(config) ? new ApartWorker(config, deps) : new RouterWorker(config, deps)),
  cookieSections: ({ transports }, families) =>
    transports.flatMap((config) => transportTypeOf(config, families).cookieSections(config)),
  privateFiles: ({ transports }) => keyFilesOf(transports),
};
