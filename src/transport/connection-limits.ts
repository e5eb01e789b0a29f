/**
 * How many connections a transport has at once, and how many of them have no session (yet), in all and by address: who
 * only opens connections must not take the place of those who use them. So when there are too many without a session, the
 * one that has waited longest makes room for the new one: clients that mean it join within milliseconds, and are never the
 * oldest. A connection that is established is counted in `max_connections` alone, so many clients behind one address are no
 * matter, as long as they do not all come at once.
 *
 *     admitted, waiting --WELCOME--> established --GOODBYE--> waiting again --> closed
 *                  |                                               |
 *                  +-- the oldest when there are too many ---------+--> evicted
 *
 * It knows no sockets: a connection is any object, and whoever admits one has to say that it left. Where the connections of a transport
 * get other options, and with them another host, both have one account: who came before counts as who comes now.
 */
import { InPlaceMap, InPlaceSet } from '../collections/in-place.js';
import type { RepeatedLog } from '../log/repeated.js';

/** The config keys of the limits; 0 switches one off. */
export interface ConnectionLimitOptions {
  readonly max_connections: number;
  readonly max_unauthenticated: number;
  readonly max_unauthenticated_per_address: number;
}

/** Whose connections are counted. */
export interface ConnectionOwner {
  /** Closes a connection that has to make room. It is not counted any more. */
  readonly evict: (connection: object) => void;
}

interface Counted {
  readonly owner: ConnectionOwner;
  /** What {@link countedAddress} made of the address. */
  readonly address: string | undefined;
  waiting: boolean;
}

export class ConnectionLimits {
  #options: ConnectionLimitOptions;
  #log: RepeatedLog;
  readonly #connections = new InPlaceMap<object, Counted>();
  /** Those of `#connections` that wait, in all and by address; whoever has waited longest is first. No address has none. */
  readonly #waiting = new InPlaceSet<object>();
  readonly #waitingByAddress = new Map<string, InPlaceSet<object>>();
  /** How many of `#connections` each has; who has none is not in it. */
  readonly #counts = new Map<ConnectionOwner, number>();

  constructor(options: ConnectionLimitOptions, log: RepeatedLog) {
    this.#options = options;
    this.#log = log;
  }

  /** Other limits, for those who come from now on; who is here stays. */
  renew(options: ConnectionLimitOptions, log: RepeatedLog): void {
    this.#options = options;
    this.#log = log;
  }

  /** @returns how many connections somebody has. */
  countOf(owner: ConnectionOwner): number {
    return this.#counts.get(owner) ?? 0;
  }

  /**
   * Counts a new connection, which waits for a session.
   * @param remoteAddress undefined for a socket of the file system.
   * @returns false when there are too many, and none of them waits: then it is not counted, and has to be refused.
   */
  admit(connection: object, remoteAddress: string | undefined, owner: ConnectionOwner): boolean {
    const address = countedAddress(remoteAddress);
    if (!this.#makeRoom(address, remoteAddress)) return false;
    const counted = { owner, address, waiting: false };
    this.#connections.set(connection, counted);
    this.#counts.set(owner, this.countOf(owner) + 1);
    this.#setWaiting(connection, counted, true);
    return true;
  }

  /** The connection has a session. */
  establish(connection: object): void {
    const counted = this.#connections.get(connection);
    if (counted !== undefined) this.#setWaiting(connection, counted, false);
  }

  /** The connection has no session any more. It may stay, whatever the limits say: it had its place before. */
  wait(connection: object): void {
    const counted = this.#connections.get(connection);
    if (counted !== undefined) this.#setWaiting(connection, counted, true);
  }

  /** The connection is closed. */
  leave(connection: object): void {
    const counted = this.#connections.get(connection);
    if (counted === undefined) return;
    this.#setWaiting(connection, counted, false);
    this.#connections.delete(connection);
    const { owner } = counted;
    const left = this.countOf(owner) - 1;
    if (left === 0) this.#counts.delete(owner);
    else this.#counts.set(owner, left);
  }

  /** @returns whether there is room for another one from this address, now. */
  #makeRoom(address: string | undefined, remoteAddress: string | undefined): boolean {
    const { max_connections, max_unauthenticated, max_unauthenticated_per_address } = this.#options;
    const here = address === undefined ? undefined : this.#waitingByAddress.get(address);
    // The address first: whoever fills it makes room for himself.
    if (isReached(here?.size ?? 0, max_unauthenticated_per_address)) {
      return this.#evictOldest(here, 'max_unauthenticated_per_address', remoteAddress);
    }
    if (isReached(this.#waiting.size, max_unauthenticated)) {
      return this.#evictOldest(this.#waiting, 'max_unauthenticated', remoteAddress);
    }
    if (isReached(this.#connections.size, max_connections)) {
      return this.#evictOldest(this.#waiting, 'max_connections', remoteAddress);
    }
    return true;
  }

  #evictOldest(
    waiting: InPlaceSet<object> | undefined,
    limit: keyof ConnectionLimitOptions,
    remoteAddress: string | undefined,
  ): boolean {
    const oldest = waiting?.first;
    const facts = { limit, allowed: this.#options[limit], address: remoteAddress ?? 'unix' };
    if (oldest === undefined) {
      this.#log.say('warn', facts, 'too many connections, some refused');
      return false;
    }
    this.#log.say('warn', facts, 'too many connections without a session, the oldest ones closed');
    const owner = this.#connections.get(oldest)?.owner;
    this.leave(oldest);
    owner?.evict(oldest);
    return true;
  }

  #setWaiting(connection: object, counted: Counted, waiting: boolean): void {
    if (counted.waiting === waiting) return;
    counted.waiting = waiting;
    const { address } = counted;
    if (waiting) this.#waiting.add(connection);
    else this.#waiting.delete(connection);
    if (address === undefined) return;
    const here = this.#waitingByAddress.get(address);
    if (waiting && here === undefined) this.#waitingByAddress.set(address, new InPlaceSet<object>().add(connection));
    else if (waiting) here?.add(connection);
    else if (here?.delete(connection) === true && here.size === 0) this.#waitingByAddress.delete(address);
  }
}

function isReached(count: number, limit: number): boolean {
  return limit !== 0 && count >= limit;
}

/**
 * @returns what is counted as one address: of IPv6 the first 64 bits, because who has one address of such a network has
 * them all. Undefined for peers on this machine: the proxy among them stands for all of its clients.
 */
export function countedAddress(remoteAddress: string | undefined): string | undefined {
  if (remoteAddress === undefined) return undefined;
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  if (address === '::1' || address.startsWith('127.')) return undefined;
  return address.includes(':') ? networkOf(address) : address;
}

/** @param address IPv6 as the system writes it. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('%', 1).join('').split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':');
    while (groups.length < 8 - behind.length) groups.push('0');
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
