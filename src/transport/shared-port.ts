/**
 * One port for transports of several workers (`shared` of an endpoint). Crossbar.io lets the system choose a process for each
 * connection, so a client that asks for a realm of another worker is refused by chance. Here all workers are in one process:
 *
 *     the transport that starts first listens for all, and its options count
 *     a request   -> the path tree that names the path (`http/shared-root.ts`)
 *     a handshake -> the WebSocket or RawSocket of the first one that has the place: cookies, limits and times are its own
 *     HELLO       -> the router that has the realm, with the `auth` of its transport; the first one if none has it
 *
 * Before HELLO nothing tells where a client wants to go. So the config has to be the same up to there, which
 * `config/rules/ports.ts` checks. As long as workers are starting, a realm that is not there may still come: such a client is
 * sent away for the moment, without an ABORT, which clients take for final. When the first transport stops, the others have
 * no listener any more; they stop together.
 */
import type { RealmSharing, SessionDeps } from '../session/deps.js';
import type { EndpointConfig } from './endpoint-schema.js';
import type { BoundAddress } from './listen/listen.js';

/** @returns whether transports of several workers may have this endpoint together. */
export function isSharedPort(endpoint: EndpointConfig): endpoint is Extract<EndpointConfig, { readonly type: 'tcp' }> {
  return endpoint.type === 'tcp' && endpoint.shared && endpoint.port !== 0 && endpoint.portrange === undefined;
}

/** The ports of a node that are shared. */
export class SharedPorts {
  /** address and port -> who listens there */
  readonly #ports = new Map<string, SharedPort>();
  /** All workers have started. */
  #isComplete = false;

  /** @returns undefined where a transport has its endpoint to itself. */
  of(endpoint: EndpointConfig): SharedPort | undefined {
    if (!isSharedPort(endpoint)) return undefined;
    const { interface: address = '', version = '', port } = endpoint;
    const key = `${address} ${version} ${port}`;
    const shared = this.#ports.get(key) ?? new SharedPort(() => this.#isComplete);
    this.#ports.set(key, shared);
    return shared;
  }

  /** No realm comes any more. */
  complete(): void {
    this.#isComplete = true;
  }
}

/** One port and the transports that share it. */
export class SharedPort {
  readonly #isComplete: () => boolean;
  /** path, or kind of connection -> what sessions of each router are made with */
  readonly #places = new Map<string, SharedPlace>();
  #bound: Promise<BoundAddress> | undefined;

  constructor(isComplete: () => boolean) {
    this.#isComplete = isComplete;
  }

  /** The first one listens. @returns where. */
  listen(listenFirst: () => Promise<BoundAddress>): Promise<BoundAddress> {
    this.#bound ??= listenFirst();
    return this.#bound;
  }

  /**
   * A transport takes WAMP clients at a place.
   * @returns what its sessions are made with: they find the routers of the others there.
   */
  share<D extends SessionDeps>(place: string, deps: D): D {
    const sharing = this.#places.get(place) ?? new SharedPlace(this.#isComplete);
    this.#places.set(place, sharing);
    sharing.add(deps);
    return { ...deps, sharing };
  }
}

class SharedPlace implements RealmSharing {
  readonly #members: SessionDeps[] = [];
  readonly #isComplete: () => boolean;

  constructor(isComplete: () => boolean) {
    this.#isComplete = isComplete;
  }

  add(deps: SessionDeps): void {
    this.#members.push(deps);
  }

  get keepsHandshake(): boolean {
    return this.#members.some(({ keepsHandshake }) => keepsHandshake === true);
  }

  depsFor(realm: string): SessionDeps | 'not yet' | undefined {
    const found = this.#members.find(({ router }) => router.realm(realm) !== undefined);
    return found ?? (this.#isComplete() ? undefined : 'not yet');
  }
}
