/**
 * A transport that takes over another config while it listens. Everything that can fail is done in advance; then the change is one step,
 * and connections that are open go on as they were.
 *
 *     prepare: other certificates are read, what answers is built and started  -> commit: from now on it gets the connections
 *                                                                              -> discard: it is stopped, and all is as before
 */
import type { EndpointServer } from '../endpoint.js';
import type { BoundAddress } from '../listen/listen.js';
import type { TransportServer } from '../transport-type.js';
import { isSameEndpoint, tlsOf } from './same-endpoint.js';
import type { ListeningConfig, NodeFacts, Prepared } from './prepared.js';

/** Builds what answers by another config. @returns undefined when that takes a new start. @throws (rejects) when it cannot: then all is as before. */
export type Rebuild<C> = (next: C, facts: NodeFacts) => Promise<Prepared | undefined>;

/** A server whose endpoint stays while what answers there changes. */
export class LiveServer<C extends ListeningConfig> implements TransportServer {
  readonly #server: EndpointServer;
  readonly #rebuild: Rebuild<C>;
  #config: C;
  #facts: NodeFacts | undefined;

  /** @param facts at the start, where what answers depends on them. */
  constructor(config: C, server: EndpointServer, rebuild: Rebuild<C>, facts?: NodeFacts) {
    this.#facts = facts;
    this.#config = config;
    this.#server = server;
    this.#rebuild = rebuild;
  }

  start(): Promise<BoundAddress> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  dismiss(): Promise<void> {
    return this.#server.dismiss();
  }

  /** See {@link TransportServer.prepare}. */
  async prepare(next: ListeningConfig, facts: NodeFacts): Promise<Prepared | undefined> {
    // A transport of this kind: its config has the type of the one before.
    const config = next as C;
    if (!isSameEndpoint(this.#config.endpoint, config.endpoint)) return undefined;
    const tls = tlsOf(config.endpoint);
    const useTls = tls && (await this.#server.hasNewFiles(tls)) ? await this.#server.prepareTls(tls) : undefined;
    const isSame = isSameBeside(this.#config, config) && areSame(this.#facts, facts);
    const rest = isSame ? undefined : await this.#rebuild(config, facts);
    if (!isSame && rest === undefined) return undefined;
    return {
      commit: () => {
        useTls?.();
        rest?.commit();
        this.#config = config;
        if (this.#facts !== undefined) this.#facts = facts;
      },
      discard: async () => rest?.discard(),
    };
  }
}

/** Whether nothing but the endpoint is new: parts that did not change are the same objects. */
function isSameBeside(one: object, other: object): boolean {
  const rest = ({ endpoint: _, ...more }: { readonly endpoint?: unknown }): object => more;
  const [a, b] = [Object.entries(rest(one)), new Map(Object.entries(rest(other)))];
  return a.length === b.size && a.every(([key, value]) => b.get(key) === value);
}

function areSame(one: NodeFacts | undefined, other: NodeFacts): boolean {
  if (one === undefined) return true;
  const text = ({ cookieNames, privatePaths }: NodeFacts): string => JSON.stringify([[...cookieNames], privatePaths]);
  return text(one) === text(other);
}
