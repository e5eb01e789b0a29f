/**
 * Services whose code is loaded when a config has one of them: what a node does not use costs it neither time nor memory. The entry of the
 * registry is a file of a few lines then, `type.ts` in the folder of the service, and everything else is behind its `load`.
 */
import type { Socket } from 'node:net';
import type { WebRequest, WebService, WebUpgrade } from '../http/service.js';
import type { WebResponse } from '../http/response.js';
import type { WebServiceDeps, WebServiceType } from './service.js';
import type { PathServiceConfig } from './schema.js';

/** What is known of a service without its code. */
export interface OnDemandType<C extends PathServiceConfig> extends Omit<WebServiceType<C>, 'create'> {
  /** Whether it has {@link WebService.upgrade}. */
  readonly upgrades?: true;
  /** Loads the code. @returns what creates the service. */
  readonly load: () => Promise<(config: C, deps: WebServiceDeps) => WebService>;
}

type Load = () => Promise<WebService>;
type Part<K extends keyof WebService> = NonNullable<WebService[K]>;

class OnDemand implements WebService {
  /** There only where the service has it, as in {@link WebService}; all but the first are known from the start on. */
  upgrade?: Part<'upgrade'>;
  retire?: Part<'retire'>;
  knows?: Part<'knows'>;
  dismiss?: Part<'dismiss'>;
  readonly #load: Load;
  #service: WebService | undefined;

  constructor(load: Load, upgrades: boolean) {
    this.#load = load;
    if (upgrades) this.upgrade = (request, socket, head) => this.#upgrade(request, socket, head);
  }

  get methods(): WebService['methods'] {
    return this.#service?.methods;
  }

  async start(): Promise<void> {
    const service = (this.#service ??= await this.#load());
    if (service.retire)
      this.retire = async (successor, answered) => service.retire?.(OnDemand.inside(successor), answered);
    if (service.knows) this.knows = (rest) => service.knows?.(rest) === true;
    if (service.dismiss) this.dismiss = async () => service.dismiss?.();
    await service.start?.();
  }

  async stop(): Promise<void> {
    await this.#service?.stop?.();
  }

  handle(request: WebRequest, res: WebResponse): void | Promise<void> {
    return this.#started.handle(request, res);
  }

  #upgrade(request: WebUpgrade, socket: Socket, head: Buffer): void {
    if (this.#service === undefined) socket.destroy();
    else this.#service.upgrade?.(request, socket, head);
  }

  /** Services know others of their kind, and not us. */
  static inside(service: WebService | undefined): WebService | undefined {
    return service instanceof OnDemand ? service.#service : service;
  }

  get #started(): WebService {
    if (this.#service === undefined) throw new Error('a service was asked before it was started');
    return this.#service;
  }
}

/** @returns an entry of the registry. */
export function onDemand<C extends PathServiceConfig>({ load, ...known }: OnDemandType<C>): WebServiceType<C> {
  return {
    ...known,
    create: (config, deps) => new OnDemand(async () => (await load())(config, deps), known.upgrades === true),
  };
}
