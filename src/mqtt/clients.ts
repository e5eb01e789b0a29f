/**
 * All clients of one transport: those that are connected, and those that are kept while they are away. A client id belongs to whoever
 * uses it: clients of two principals may have the same one, and neither can throw out the other, nor see what is kept for it. Clients
 * without a login and without a cookie share their ids, by role: whoever has the id of another of them takes its place.
 */
import { sayRepeated } from '../log/repeated.js';
import { FORGOTTEN, MqttClient } from './client.js';
import { ConnectCode } from './packets/packet.js';
import { connectFault } from './hello.js';
import { MqttSession } from './mqtt-session.js';
import type { ClientOwner } from './client.js';
import type { MqttDeps, MqttLink } from './deps.js';
import type { SessionOwner } from './mqtt-session.js';
import type { ConnectPacket } from './packets/packet.js';

/** When a client that is away is forgotten. */
interface Kept {
  readonly forget: () => void;
  /** What it takes. */
  bytes: number;
}

/** The clients of one place, by their client ids. */
export class MqttClients implements ClientOwner {
  #deps: MqttDeps;
  // key -> client
  readonly #clients = new Map<string, MqttClient>();
  // client that is away -> its end, in the order in which they went
  readonly #kept = new Map<MqttClient, Kept>();
  /** What they all take. */
  #keptBytes = 0;
  /** Those that were not let in yet. */
  readonly #opening = new Set<MqttSession>();
  #unnamed = 0;

  constructor(deps: MqttDeps) {
    this.#deps = deps;
  }

  /**
   * A connection has sent its CONNECT.
   * @returns what takes its other packets, and is told when it is gone; undefined: it was refused, and is closed.
   */
  connect(packet: ConnectPacket, link: MqttLink): MqttSession | undefined {
    const fault = connectFault(packet);
    if (fault !== undefined) {
      link.send(this.#deps.encode({ cmd: 'connack', returnCode: fault, sessionPresent: false }), true);
      link.end(
        fault === ConnectCode.IDENTIFIER_REJECTED ? 'the client id is not accepted' : 'the password is no text',
        'denied',
      );
      return undefined;
    }
    const session = new MqttSession(packet, link, this.#door, this.#deps);
    this.#opening.add(session);
    session.begin();
    if (session.isOver) this.#opening.delete(session);
    return session;
  }

  /** Other options. They hold for connections that come from now on, and for the clients that have one of them. */
  renew(deps: MqttDeps): void {
    this.#deps = deps;
  }

  /** How many connections wait for the answer to their CONNECT. */
  get opening(): number {
    return this.#opening.size;
  }

  /** How many clients there are, how many of them are away, and what waits for them all, in bytes. */
  get size(): { readonly clients: number; readonly kept: number; readonly bytes: number } {
    let bytes = 0;
    for (const client of this.#clients.values()) bytes += client.size.bytes;
    return { clients: this.#clients.size, kept: this.#kept.size, bytes };
  }

  /** The node stops: all clients are forgotten. */
  stop(): void {
    for (const session of this.#opening) session.shutdown();
    for (const client of this.#clients.values()) client.publishWill();
    for (const client of this.#clients.values()) client.shutdown();
    for (const { forget } of this.#kept.values()) forget();
    this.#opening.clear();
    this.#clients.clear();
    this.#kept.clear();
  }

  /** A client keeps what is its own. */
  away(client: MqttClient): void {
    const { sessionExpiryMs, maxKept } = this.#deps.limits;
    if (this.#clients.get(client.key) !== client) return;
    this.#unkeep(client);
    if (sessionExpiryMs === 0) return client.drop('its time is over');
    const expire = (): void => {
      this.#deps.counts.keptExpired += 1;
      client.drop('its time is over');
    };
    this.#kept.set(client, { forget: this.#deps.after(sessionExpiryMs, expire), bytes: 0 });
    this.grown(client);
    if (this.#kept.size > maxKept) this.#dropFirst();
  }

  grown(client: MqttClient): void {
    const kept = this.#kept.get(client);
    if (kept === undefined) return;
    const bytes = client.keptBytes;
    this.#keptBytes += bytes - kept.bytes;
    kept.bytes = bytes;
    while (this.#keptBytes > this.#deps.limits.maxKeptBytes) this.#dropFirst();
  }

  dropped(client: MqttClient): void {
    this.#unkeep(client);
    if (this.#clients.get(client.key) === client) this.#clients.delete(client.key);
  }

  /** Of sessions that belong to no client yet. */
  readonly #door: SessionOwner = {
    opened: (session) => this.#enter(session),
    receive: () => undefined,
    event: () => undefined,
    lost: (session) => void this.#opening.delete(session),
    ended: (session) => void this.#opening.delete(session),
  };

  #enter(session: MqttSession): void {
    this.#opening.delete(session);
    const key = this.#keyOf(session);
    const known = this.#clients.get(key);
    if (known !== undefined) {
      known.takeOver();
      this.#unkeep(known);
      const mayStay = !known.isClean && !session.connect.clean && isSame(known, session);
      if (mayStay && this.#clients.get(key) === known) return known.resume(session);
      known.drop('another session has begun');
    }
    const client = new MqttClient(key, session, this, this.#deps);
    this.#clients.set(key, client);
    client.begin();
  }

  #unkeep(client: MqttClient): void {
    const kept = this.#kept.get(client);
    if (kept === undefined) return;
    kept.forget();
    this.#keptBytes -= kept.bytes;
    this.#kept.delete(client);
  }

  /** The one that was away for longest makes room. */
  #dropFirst(): void {
    const [first] = this.#kept.keys();
    const { maxKept, maxKeptBytes } = this.#deps.limits;
    const facts = { kept: this.#kept.size, keptBytes: this.#keptBytes, maxKept, maxKeptBytes };
    sayRepeated(this.#deps.sessions, 'warn', facts, FORGOTTEN);
    this.#deps.counts.keptDropped += 1;
    first?.drop('too much is kept for clients that are away');
  }

  #keyOf({ identity, client, connect: { clientId } }: MqttSession): string {
    if (clientId === '') return `unnamed ${++this.#unnamed}`;
    const { realm, authid, authrole, authmethod } = identity;
    // The authid of an anonymous client is new each time, but for that of a browser with a cookie.
    const isNobody = authmethod === 'anonymous' && client.liveCookie === undefined;
    const principal = isNobody ? { authrole } : { authid };
    return JSON.stringify([realm, principal, clientId]);
  }
}

/** Whether what was kept is for whoever comes. */
function isSame({ identity }: MqttClient, session: MqttSession): boolean {
  const names = ['realm', 'authrole'];
  return names.every((name) => identity[name] === session.identity[name]);
}
