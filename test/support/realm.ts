/**
 * A realm without sockets: sessions are scripts of messages in and messages out.
 */
import { Realm } from '../../src/router/realm.js';
import type { Role } from '../../src/router/role.js';
import type { RoleConfig } from '../../src/router/schema.js';
import type { Scheduler } from '../../src/router/observer.js';
import type { RouterSession, SessionDetails, SessionStatus } from '../../src/router/session.js';
import { envelopeOf, parseMessage, payloadPosition } from '../../src/wamp/parse.js';
import { NO_PAYLOAD, payloadOf } from '../../src/wamp/payload.js';
import { EVENT, GOODBYE } from '../../src/wamp/message.js';
import type { RouterMessage } from '../../src/wamp/message.js';

/** A message as the array on the wire, without a serializer in between. */
export function wire(message: RouterMessage): unknown[] {
  const fields = envelopeOf(message);
  if (!('payload' in message) || message.payload === NO_PAYLOAD) return fields;
  const { args, kwargs } = message.payload;
  return kwargs === undefined ? [...fields, args] : [...fields, args, kwargs];
}

/** A session of a test: `tell` puts a message into the realm, `heard` returns and forgets what came out. */
export class ScriptedSession implements RouterSession {
  readonly id: number;
  readonly authid: string;
  readonly role: Role;
  keptBytes = 0;
  /** Of the events, in their order. */
  readonly qos: (number | undefined)[] = [];
  readonly #realm: Realm;
  readonly #features: readonly string[];
  #heard: unknown[][] = [];
  #left = false;
  #received = 0;
  #sent = 0;

  constructor(realm: Realm, id: number, role: Role, features: readonly string[] = []) {
    this.#realm = realm;
    this.id = id;
    this.authid = `authid${id}`;
    this.role = role;
    this.#features = features;
    realm.join(this);
  }

  get authrole(): string {
    return this.role.name;
  }

  get details(): SessionDetails {
    const { id: session, authid, authrole } = this;
    const transport = { peer: `192.0.2.1:${session}` };
    const realm = this.#realm.name;
    return { session, realm, authid, authrole, authmethod: 'anonymous', authprovider: 'static', transport };
  }

  get status(): SessionStatus {
    return {
      name: this.authid,
      joinedMs: Date.parse('2026-01-01T00:00:00.000Z'),
      waitingBytes: 0,
      received: this.#received,
      sent: this.#sent,
    };
  }

  announced(role: string, feature: string): boolean {
    return this.#features.includes(`${role}.${feature}`);
  }

  send(message: RouterMessage): void {
    if (this.#left) return;
    this.#sent++;
    this.#heard.push(wire(message));
    if (message.type === EVENT) this.qos.push(message.qos);
  }

  tell(...fields: unknown[]): this {
    const position = payloadPosition(fields[0]);
    const payload =
      position === undefined || fields.length <= position
        ? NO_PAYLOAD
        : payloadOf(fields[position] as unknown[], fields[position + 1] as Record<string, unknown> | undefined);
    this.#received++;
    this.#realm.receive(this, parseMessage(fields, fields.length, payload));
    return this;
  }

  heard(): unknown[][] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  kill(reason: string, message?: string, done?: () => void): void {
    this.send({ type: GOODBYE, details: message === undefined ? {} : { message }, reason });
    this.leave();
    done?.();
  }

  leave(): void {
    // As the contract says: a message to a session that is gone goes nowhere.
    this.#left = true;
    this.#realm.leave(this);
  }
}

/** A clock that moves when the test says so, and calls back what became due meanwhile. */
export class FakeClock implements Scheduler {
  /** The time of day; a test may set it to another one, and nothing becomes due by that. */
  now = Date.parse('2026-01-01T00:00:00.000Z');
  #elapsed = 0;
  readonly #due = new Set<{ readonly at: number; readonly callback: () => void }>();

  elapsed(): number {
    return this.#elapsed;
  }

  after(ms: number, callback: () => void): () => void {
    const entry = { at: this.#elapsed + ms, callback };
    this.#due.add(entry);
    return () => void this.#due.delete(entry);
  }

  advance(ms: number): void {
    const until = this.#elapsed + ms;
    for (;;) {
      const [next] = [...this.#due].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#due.delete(next);
      this.#pass(next.at - this.#elapsed);
      next.callback();
    }
    this.#pass(until - this.#elapsed);
  }

  #pass(ms: number): void {
    this.#elapsed += ms;
    this.now += ms;
  }

  /** How many callbacks are waiting. */
  get waiting(): number {
    return this.#due.size;
  }
}

export const ALLOW_ALL: RoleConfig = { name: 'anonymous', 'allow-by-default': true };

/** A realm with one role and a way to open sessions in it; ids count up from 1. */
export function testRealm(role: RoleConfig = ALLOW_ALL, uriCheck: 'loose' | 'strict' = 'loose', metaApi = true) {
  let lastRouterId = 0;
  let lastPublication = 1000;
  const clock = new FakeClock();
  const options = {
    uri_check: uriCheck,
    event_dispatching_chunk_size: 100,
    enable_meta_api: metaApi,
    bridge_meta_api: false,
  } as const;
  const realm = new Realm(
    { name: 'realm1', options, roles: [role] },
    { randomId: () => ++lastPublication, nextRouterId: () => ++lastRouterId, clock: () => clock.now, scheduler: clock },
  );
  let lastSession = 0;
  const sessionRole = realm.role(role.name);
  if (sessionRole === undefined) throw new Error('the role of the test is not there');
  const session = (...features: string[]) => new ScriptedSession(realm, ++lastSession, sessionRole, features);
  return { realm, session, clock };
}
