/**
 * How many connections a transport has at once, and how many of them have no session (yet), in all and by address: who
 * only opens connections must not take the place of those who use them. A connection that is established is counted in
 * `max_connections` alone, so many clients behind one address are no matter, as long as they do not all come at once.
 *
 *     admitted, waiting --WELCOME--> established --GOODBYE--> waiting again --> closed
 *
 * It knows no sockets: a connection is any object, and whoever admits one has to say that it left.
 */
import type { Logger } from '../log/logger.js';

/** The config keys of the limits; 0 switches one off. */
export interface ConnectionLimitOptions {
  readonly max_connections: number;
  readonly max_unauthenticated: number;
  readonly max_unauthenticated_per_address: number;
}

/** An attacker must not fill the log: refusals are counted, and told once in this time. */
const WARN_INTERVAL_MS = 60_000;

interface Counted {
  /** What {@link countedAddress} made of the address. */
  readonly address: string | undefined;
  waiting: boolean;
}

export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions;
  readonly #log: Logger;
  readonly #clock: () => number;
  readonly #connections = new Map<object, Counted>();
  /** How many of `#connections` are waiting, in all and by address; no address has 0. */
  #waiting = 0;
  readonly #waitingByAddress = new Map<string, number>();
  #refused = 0;
  #warnedAt = -Infinity;

  /** @param clock milliseconds that never go back; default: those of the process. */
  constructor(options: ConnectionLimitOptions, log: Logger, clock = (): number => performance.now()) {
    this.#options = options;
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Counts a new connection, which waits for a session.
   * @param remoteAddress undefined for a socket of the file system.
   * @returns false when there are too many: then it is not counted, and has to be refused.
   */
  admit(connection: object, remoteAddress: string | undefined): boolean {
    const address = countedAddress(remoteAddress);
    const limit = this.#reached(address);
    if (limit !== undefined) {
      this.#warn(limit, remoteAddress);
      return false;
    }
    const counted = { address, waiting: false };
    this.#connections.set(connection, counted);
    this.#setWaiting(counted, true);
    return true;
  }

  /** The connection has a session. */
  establish(connection: object): void {
    const counted = this.#connections.get(connection);
    if (counted !== undefined) this.#setWaiting(counted, false);
  }

  /** The connection has no session any more. It may stay, whatever the limits say: it had its place before. */
  wait(connection: object): void {
    const counted = this.#connections.get(connection);
    if (counted !== undefined) this.#setWaiting(counted, true);
  }

  /** The connection is closed. */
  leave(connection: object): void {
    this.establish(connection);
    this.#connections.delete(connection);
  }

  /** @returns the limit that keeps another connection out. */
  #reached(address: string | undefined): keyof ConnectionLimitOptions | undefined {
    const options = this.#options;
    if (isReached(this.#connections.size, options.max_connections)) return 'max_connections';
    if (isReached(this.#waiting, options.max_unauthenticated)) return 'max_unauthenticated';
    const here = address === undefined ? 0 : (this.#waitingByAddress.get(address) ?? 0);
    if (isReached(here, options.max_unauthenticated_per_address)) return 'max_unauthenticated_per_address';
    return undefined;
  }

  #setWaiting(counted: Counted, waiting: boolean): void {
    if (counted.waiting === waiting) return;
    counted.waiting = waiting;
    const change = waiting ? 1 : -1;
    this.#waiting += change;
    const { address } = counted;
    if (address === undefined) return;
    const count = (this.#waitingByAddress.get(address) ?? 0) + change;
    if (count === 0) this.#waitingByAddress.delete(address);
    else this.#waitingByAddress.set(address, count);
  }

  #warn(limit: keyof ConnectionLimitOptions, address: string | undefined): void {
    this.#refused += 1;
    const now = this.#clock();
    if (now - this.#warnedAt < WARN_INTERVAL_MS) return;
    this.#warnedAt = now;
    this.#log.warn(
      { limit, allowed: this.#options[limit], address: address ?? 'unix', refused: this.#refused },
      'too many connections, some refused',
    );
    this.#refused = 0;
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
