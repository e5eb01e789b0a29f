/**
 * The services of a web transport, by their configs. When the transport gets another config, a service whose config is the same goes on:
 * uploads, long-polls and applications keep what they have. What is the same in two configs is the same object in both.
 */
import { CookieSection } from '../cookies.js';
import { answeringServices, walkPaths } from '../path-tree.js';
import { createWebService } from '../registry.js';
import type { CookieConfig } from '../../cookie/schema.js';
import type { DepartingService } from '../../http/acceptor.js';
import type { WebService } from '../../http/service.js';
import type { PathServiceConfig, PathsConfig } from '../schema.js';
import type { WebServiceDeps, WebServiceType } from '../service.js';

interface Entry {
  readonly service: WebService;
  /** The `cookie` section in force. */
  readonly cookies: CookieSection | undefined;
}

interface Contents {
  // config of a service -> the service
  readonly entries: ReadonlyMap<PathServiceConfig, Entry>;
  readonly sections: ReadonlyMap<CookieConfig, CookieSection>;
}

const NOTHING: Contents = { entries: new Map(), sections: new Map() };

/** The services of one config of a transport. */
export class ServiceBook {
  #before: Contents;
  #former: ServiceBook | undefined;
  readonly #keeps: boolean;
  readonly #entries = new Map<PathServiceConfig, Entry>();
  readonly #sections = new Map<CookieConfig, CookieSection>();
  readonly #fresh: WebService[] = [];

  /**
   * @param before the services of the config before
   * @param keeps whether what all services are told of the node is as it was.
   */
  constructor(before?: ServiceBook, keeps = true) {
    this.#former = before;
    this.#before = before === undefined ? NOTHING : { entries: before.#entries, sections: before.#sections };
    this.#keeps = keeps;
  }

  /** As `WebServiceDeps.createService`. */
  readonly create = (config: PathServiceConfig, deps: WebServiceDeps): WebService => {
    const cookies = config.cookie === undefined ? deps.cookies : this.section(config.cookie, deps);
    const known = this.#before.entries.get(config);
    if (known !== undefined && config.type !== 'path' && this.#goesOn(config, known, cookies, deps)) {
      this.#entries.set(config, known);
      return known.service;
    }
    const service = createWebService(config, deps);
    this.#entries.set(config, { service, cookies });
    // A level of the tree starts nothing itself.
    if (config.type !== 'path') this.#fresh.push(service);
    return service;
  };

  /** As `WebServiceDeps.sectionOf`. */
  readonly section: NonNullable<WebServiceDeps['sectionOf']> = (config, deps) => {
    const section = this.#sections.get(config) ?? this.#before.sections.get(config) ?? new CookieSection(config, deps);
    this.#sections.set(config, section);
    return section;
  };

  /** Starts the services that are new, in the order of the config. @throws the first failure; then those that had started are stopped. */
  async startFresh(): Promise<void> {
    try {
      for (const service of this.#fresh) await service.start?.();
    } catch (error) {
      await this.stopFresh();
      throw error;
    }
  }

  /** Stops the services that are new. */
  async stopFresh(): Promise<void> {
    await Promise.allSettled(this.#fresh.map(async (service) => service.stop?.()));
  }

  /** @returns what of the config before does not go on. */
  departing(before: PathsConfig, next: PathsConfig): DepartingService[] {
    const going = new Set([...this.#entries.values()].map(({ service }) => service));
    const byPath = new Map(answeringServices(next).map(({ path, service }) => [path, service]));
    const pathOf = new Map([...walkPaths(before)].map(({ path, service }) => [service, path]));
    return [...this.#before.entries].flatMap(([config, { service }]): DepartingService[] => {
      if (going.has(service)) return [];
      const mount = pathOf.get(config) ?? '/';
      const there = byPath.get(mount);
      const successor = there?.type === config.type ? this.#entries.get(there)?.service : undefined;
      return [{ service, mount, successor }];
    });
  }

  /** The change is done: what was before is forgotten. Services that go on were made with the book before, and hold it. */
  settle(): void {
    if (this.#former !== undefined) this.#former.#empty();
    this.#former = undefined;
    this.#before = NOTHING;
    this.#fresh.length = 0;
  }

  #empty(): void {
    this.#entries.clear();
    this.#sections.clear();
    this.#fresh.length = 0;
  }

  #goesOn(
    { type }: PathServiceConfig,
    known: Entry,
    cookies: CookieSection | undefined,
    { families }: WebServiceDeps,
  ): boolean {
    const { keepsRunning }: WebServiceType = families.services[type];
    return keepsRunning === true || (this.#keeps && known.cookies === cookies);
  }
}
