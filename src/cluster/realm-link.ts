/** One realm of this node, joined to the same realm of the others: publish and subscribe, registrations and calls. */
import { NO_DETAILS } from '../wamp/message.js';
import { payloadOf } from '../wamp/payload.js';
import { matches } from '../router/pattern-index.js';
import { Attendance, ON_LEAVE } from './meta/attendance.js';
import { RealmCalls } from './calls/realm-calls.js';
import { Roll } from './meta/roll.js';
import { RealmMeta } from './meta/realm-meta.js';
import { ID_TAKEN, idTaken, isSamePattern } from './pattern-id.js';
import { RealmEvents } from './realm-events.js';
import type { MetaQuestion, Publication, RegistrationClaim, Uplink, WantedPattern } from '../router/uplink.js';
import type { Scheduler } from '../router/observer.js';
import type { RandomId } from '../wamp/id.js';
import type { AttendanceDeps, Leaver } from './meta/attendance.js';
import type { CallRealm, RealmCallsDeps } from './calls/realm-calls.js';
import type { RegistrationDirectory } from './directory/registrations.js';
import type { RealmMetaDeps } from './meta/realm-meta.js';
import type { NodeRef } from './node-ref.js';
import type { PatternIdOf } from './pattern-id.js';
import type { RealmEventsDeps } from './realm-events.js';

export interface RealmLinkDeps
  extends
    Pick<RealmEventsDeps, 'engine' | 'prefix' | 'barrier' | 'standings' | 'clock' | 'mayServe'>,
    Pick<RealmCallsDeps, 'send' | 'log'> {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly idOf: PatternIdOf;
  readonly meta: Omit<RealmMetaDeps, 'realm'>;
  readonly attendance: Pick<AttendanceDeps, 'heartbeatMs' | 'nodeOf' | 'self'>;
  /** Draws publication ids. */
  readonly randomId: RandomId;
  readonly directory: Pick<RegistrationDirectory, 'claim' | 'claimOf' | 'listen' | 'lost' | 'release' | 'unlisten'>;
}

/** An `Uplink`: give it to a router as `uplinkOf`, and then {@link RealmLink.begin} it with the realm. */
export class RealmLink implements Uplink {
  readonly calls: RealmCalls;
  readonly events: RealmEvents;
  readonly meta: RealmMeta;
  /** Who is on the other nodes, where somebody here wants to hear who leaves. */
  readonly attendance: Attendance;
  /** Tells the other nodes who is here. */
  readonly roll: Roll;
  readonly #deps: RealmLinkDeps;
  // subscription id -> what this node wants by it
  readonly #wanted = new Map<number, WantedPattern>();
  // Those of them that have `wamp.session.on_leave`
  readonly #ofLeavers = new Map<number, WantedPattern>();
  #realm: CallRealm | undefined;

  constructor(deps: RealmLinkDeps) {
    this.#deps = deps;
    this.events = new RealmEvents({
      ...deps,
      idOf: (pattern) => this.idOf(pattern),
      deliver: (pattern, publication) => this.#of().elsewhere.deliver(pattern, publication),
    });
    this.calls = new RealmCalls({
      realm: () => this.#of(),
      claimOf: (key) => deps.directory.claimOf(key),
      send: deps.send,
      log: deps.log,
      scheduler: deps.scheduler,
    });
    this.meta = new RealmMeta({ ...deps.meta, realm: () => this.#realm });
    this.attendance = new Attendance({
      ...{ ...deps, ...deps.attendance },
      ...{ membership: deps.meta.membership, ask: deps.meta.ask, tell: (leaver) => this.#tellLeft(leaver) },
    });
    this.roll = new Roll({ sessions: () => this.#realm?.elsewhere.sessions, scheduler: deps.scheduler });
  }

  /** The realm that calls of other nodes come to, and that hears of callees of nodes that are gone. */
  attach(realm: CallRealm): void {
    this.#realm = realm;
    this.#deps.directory.lost.listen(this.#deps.name, (entry, isLast) => this.calls.cleaned(entry, isLast));
  }

  /** The realm is there: it learns of the callees of the other nodes. */
  begin(realm: CallRealm): void {
    this.attach(realm);
    this.#deps.directory.listen(this.#deps.name, this.calls);
  }

  /** This node has left the cluster, or the realm is gone. */
  end(): void {
    this.#deps.directory.unlisten(this.#deps.name);
    this.#deps.directory.lost.unlisten(this.#deps.name);
    this.events.end();
    this.calls.end();
    this.meta.end();
    this.attendance.end();
    this.roll.end();
  }

  /** A node has gone. */
  forget(node: NodeRef): void {
    for (const each of [this.calls, this.meta, this.attendance, this.roll]) each.forget(node);
  }

  /** @returns when a subscription of this node was created, in milliseconds since 1970; undefined when it has no subscribers. */
  subscribedSince(id: number): number | undefined {
    return this.#realm?.elsewhere.subscribedSince(id);
  }

  /** See `Uplink`. */
  idOf(pattern: WantedPattern): number {
    return this.#deps.idOf(this.#deps.name, pattern);
  }

  mayServe(): boolean {
    return this.#deps.mayServe();
  }

  wanted(pattern: WantedPattern, done: Parameters<Uplink['wanted']>[1]): void {
    const id = this.idOf(pattern);
    const known = this.#wanted.get(id);
    if (known !== undefined && !isSamePattern(known, pattern)) {
      const { uri, match } = pattern;
      this.#deps.log.warn({ uri, match }, ID_TAKEN);
      return done(idTaken(uri));
    }
    this.#wanted.set(id, pattern);
    this.events.wanted(pattern, (error, standing) => {
      if (error !== undefined) this.#forget(id);
      done(error, standing);
    });
    if (!matches(pattern.match, pattern.uri, ON_LEAVE)) return;
    this.#ofLeavers.set(id, pattern);
    this.attendance.begin();
  }

  unwanted(pattern: WantedPattern, ended?: () => void): void {
    this.#forget(this.idOf(pattern));
    this.events.unwanted(pattern, ended);
  }

  registered(claim: RegistrationClaim, done: Parameters<Uplink['registered']>[1]): void {
    this.#deps.directory.claim(this.#deps.name, claim, done);
  }

  /** As {@link RealmLink.registered}, of a claim of an earlier life of this node. @param keptId see `RegistrationDirectory.claim` */
  registeredAgain(claim: RegistrationClaim, keptId: number, done: Parameters<Uplink['registered']>[1]): void {
    this.#deps.directory.claim(this.#deps.name, claim, done, keptId);
  }

  unregistered(claim: RegistrationClaim, ended?: () => void): void {
    this.#deps.directory.release(claim, ended);
  }

  publish(publication: Publication): void {
    this.events.publish(publication);
  }

  ask(question: MetaQuestion, done: Parameters<Uplink['ask']>[1]): void {
    this.meta.ask(question, done);
  }

  #forget(id: number): void {
    this.#wanted.delete(id);
    if (this.#ofLeavers.delete(id) && this.#ofLeavers.size === 0) this.attendance.rest();
  }

  /** An event of this node for its own subscribers: nobody else can tell it. */
  #tellLeft({ id, authid, authrole }: Leaver): void {
    if (this.#ofLeavers.size === 0) return;
    const payload = payloadOf([id, authid, authrole]);
    const about = { topic: ON_LEAVE, payload, details: NO_DETAILS, excluded: 0, options: NO_DETAILS, clears: false };
    const publication = { id: this.#deps.randomId(), ...about, qos: 0 as const };
    const { elsewhere } = this.#of();
    for (const pattern of this.#ofLeavers.values()) elsewhere.deliver(pattern, publication);
  }

  #of(): CallRealm {
    if (this.#realm === undefined) throw new TypeError(`the realm ${this.#deps.name} has not begun`);
    return this.#realm;
  }
}
