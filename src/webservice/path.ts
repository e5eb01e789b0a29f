/**
 * `path`: a level of the path tree. A web transport's own `paths` is one of these, mounted at `/`.
 *
 * A request goes to the service whose key is its next path segment, everything below that included; what no key
 * claims goes to the service at `/` of this level, and if there is none it is not found. So the longest prefix wins:
 * a service at `/` never swallows its neighbours, and a level answers for all that is below it.
 */
import type { Socket } from 'node:net';
import { countRefusal } from '../metrics/transport-counts.js';
import type { TransportCounts } from '../metrics/transport-counts.js';
import { RefusalLog, refuse } from '../transport/refusal.js';
import { sendStatus } from '../http/answer.js';
import type { PathConfig } from './schema.js';
import { serve } from '../http/methods.js';
import type { WebResponse } from '../http/response.js';
import type { WebRequest, WebService, WebUpgrade } from '../http/service.js';
import type { WebServiceDeps, WebServiceType } from './service.js';
import { firstSegment } from '../http/target.js';

/** The key of the service that takes what no other key of the level claims. */
const REST = '/';

const NOTHING_HERE = { status: 404, text: 'There is nothing here.', kind: 'no such path' } as const;
const NO_WEBSOCKET = { status: 400, text: 'There is no WebSocket at this path.', kind: 'no WebSocket' } as const;

/** What is below a level. */
interface PathTable {
  /** path segment, or `/` -> service */
  readonly services: ReadonlyMap<string, WebService>;
  /** service -> the word for it in the config */
  readonly types: ReadonlyMap<WebService, string>;
}

class PathService implements WebService {
  readonly methods = 'any';
  /** path segment, or `/` -> service */
  #services: ReadonlyMap<string, WebService>;
  /** service -> the word for it in the config */
  readonly #types: ReadonlyMap<WebService, string>;
  readonly #refusals: RefusalLog;
  readonly #counts: TransportCounts | undefined;
  /** For the operator of a client that connects to the wrong path. */
  readonly #remedy: string;

  constructor({ services, types }: PathTable, { log, webSocketPaths, counts }: WebServiceDeps) {
    this.#counts = counts;
    this.#services = services;
    this.#types = types;
    this.#refusals = new RefusalLog(log);
    this.#remedy = `the WebSockets of this transport are at: ${webSocketPaths.join(' ') || '(none)'}`;
  }

  /** In config order, one after the other: the first failure is the one reported. */
  async start(): Promise<void> {
    for (const service of this.#services.values()) await service.start?.();
  }

  async stop(): Promise<void> {
    const stopped = await Promise.allSettled([...this.#services.values()].map(async (service) => service.stop?.()));
    this.#refusals.end();
    const failures = stopped.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
    if (failures.length > 0) throw new AggregateError(failures, 'web services failed to stop');
  }

  async dismiss(): Promise<void> {
    await Promise.all([...this.#services.values()].map(async (service) => service.dismiss?.()));
  }

  /** The services below are asked themselves. */
  retire(): Promise<void> {
    this.#services = new Map();
    this.#refusals.end();
    return Promise.resolve();
  }

  handle(request: WebRequest, res: WebResponse): void | Promise<void> {
    const found = this.#find(request);
    if (found !== undefined) {
      res.servedBy = this.#types.get(found.service);
      return serve(found.service, found.request, res);
    }
    sendStatus(res, 404, 'There is nothing here.');
  }

  upgrade(request: WebUpgrade, socket: Socket, head: Buffer): void {
    const found = this.#find(request);
    if (found?.service.upgrade !== undefined) {
      found.service.upgrade(found.request, socket, head);
      return;
    }
    const refusal =
      found === undefined ? { ...NOTHING_HERE, remedy: this.#remedy } : { ...NO_WEBSOCKET, remedy: this.#remedy };
    countRefusal(this.#counts, refusal.kind);
    this.#refusals.webSocket(request.req, refusal);
    refuse(socket, refusal.status, refusal.text);
  }

  #find<R extends WebUpgrade>(request: R): { readonly service: WebService; readonly request: R } | undefined {
    const { segment, rest } = firstSegment(request.rest);
    const named = segment === REST ? undefined : this.#services.get(segment);
    if (named !== undefined)
      return { service: named, request: { ...request, mount: below(request.mount, segment), rest } };
    const service = this.#services.get(REST);
    return service && { service, request };
  }
}

function below(mount: string, segment: string): string {
  return mount === '/' ? `/${segment}` : `${mount}/${segment}`;
}

/** Nested paths: `paths` maps a path segment, or `/` for all others, to a service. */
export const pathServiceType: WebServiceType<PathConfig> = {
  type: 'path',
  create(config, deps) {
    const services = new Map<string, WebService>();
    const types = new Map<WebService, string>();
    for (const [key, below] of Object.entries(config.paths)) {
      const service = deps.createService(below, deps);
      services.set(key, service);
      types.set(service, below.type);
    }
    return new PathService({ services, types }, deps);
  },
};
