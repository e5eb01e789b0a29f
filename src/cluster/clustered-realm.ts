/**
 * A realm of this node in the cluster, for as long as the realm is there: the lives of the node as a member come and go meanwhile.
 *
 *     serving --the life ends--> away --the node has joined again--> returning --everything is told--> serving
 *
 * It notes what the realm wants. What asks while there is no life is refused, and the realm cuts its clients. Those that are part of the
 * node stay, with their subscriptions and registrations, which come back with the next life. A registration that another node has
 * taken meanwhile is revoked.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { AWAY } from '../router/uplink/away.js';
import { patternId } from './pattern-id.js';
import type { MetaQuestion, Publication, RegistrationClaim, Uplink, WantedPattern } from '../router/uplink.js';
import type { Scheduler } from '../router/observer.js';
import type { ClusterMember } from './member.js';
import type { CallRealm } from './calls/realm-calls.js';
import type { RealmLink } from './realm-link.js';

type Wanted = Parameters<Uplink['wanted']>[1];
type Registered = Parameters<Uplink['registered']>[1];

/** Something that was asked for; `done` is undefined when it has its answer. */
interface Asked<Done extends Wanted | Registered> {
  done: Done | undefined;
}

interface AskedPattern extends Asked<Wanted> {
  readonly pattern: WantedPattern;
}

interface AskedRegistration extends Asked<Registered> {
  /** What its session knows it by; 0 before the answer. */
  id: number;
}

/** Between two attempts to bring a registration back. */
const RETRY_MS = 250;

export class ClusteredRealm implements Uplink {
  readonly name: string;
  readonly #scheduler: Scheduler;
  #realm: CallRealm | undefined;
  /** Of the present life. */
  #link: RealmLink | undefined;
  #isServing = false;
  /** What the realm would publish now, other nodes have told. */
  #isToldAlready = false;
  // match policy and URI -> what sessions of this node subscribe to
  readonly #wanted = new Map<string, AskedPattern>();
  // claim of this node -> whether it waits for its answer
  readonly #claims = new Map<RegistrationClaim, AskedRegistration>();
  // claim that is being brought back -> ends the wait for it
  readonly #returning = new Map<RegistrationClaim, () => void>();
  /** Ends the wait for what is being told to a new life. */
  #giveUp: () => void = () => undefined;

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
  }

  /** How many patterns and claims it would bring to another life. */
  get size(): { readonly wanted: number; readonly claims: number } {
    return { wanted: this.#wanted.size, claims: this.#claims.size };
  }

  /** The realm is there, and has no sessions. @param member of the present life, if there is one */
  begin(realm: CallRealm, member: ClusterMember | undefined): void {
    this.#realm = realm;
    if (member === undefined) return;
    this.#link = member.linkOf(this.name);
    this.#link.begin(realm);
    this.#isServing = true;
  }

  /** The life of the node as a member has ended: nothing is served until {@link ClusteredRealm.regain}. */
  lose(): void {
    this.#link = undefined;
    this.#isServing = false;
    this.#giveUp();
    // Before the clients go: their end takes back what they asked for.
    for (const [key, asked] of [...this.#wanted]) {
      if (asked.done !== undefined) this.#wanted.delete(key);
      take(asked)?.(away());
    }
    for (const [claim, asked] of [...this.#claims]) {
      if (asked.done !== undefined) this.#claims.delete(claim);
      take(asked)?.(away());
    }
    this.#realm?.cut(AWAY);
  }

  /** The realm is gone, and nobody waits for it any more. */
  end(): void {
    this.#realm = undefined;
    this.#link = undefined;
    this.#isServing = false;
    this.#giveUp();
  }

  /** The node is a member again. Resolves when all that is there was told to the others, or when this life is over, too. */
  async regain(member: ClusterMember): Promise<void> {
    const realm = this.#realm;
    if (realm === undefined) return;
    const link = (this.#link = member.linkOf(this.name));
    link.attach(realm);
    const over = new Promise<void>((resolve) => (this.#giveUp = resolve));
    const patterns = [...this.#wanted.values()].map(({ pattern }) => this.#wantAgain(link, pattern));
    const claims = [...this.#claims].map(([claim, { id }]) => this.#registerAgain(link, claim, id));
    await Promise.race([Promise.all([...patterns, ...claims]), over]);
    if (this.#link !== link) return;
    link.begin(realm);
    this.#isServing = true;
    realm.elsewhere.returned();
  }

  mayServe(): boolean {
    // The link looks at the clock, and ends this life if need be.
    return this.#link?.mayServe() === true && this.#isServing;
  }

  idOf(pattern: WantedPattern): number {
    return patternId(this.name, pattern);
  }

  wanted(pattern: WantedPattern, done: Wanted): void {
    const link = this.#link;
    if (link === undefined) return done(away());
    const key = keyOf(pattern);
    const asked: AskedPattern = { pattern, done };
    this.#wanted.set(key, asked);
    link.wanted(pattern, (error, standing) => {
      if (this.#wanted.get(key) !== asked) return;
      if (error !== undefined) this.#wanted.delete(key);
      take(asked)?.(error, standing);
    });
  }

  unwanted(pattern: WantedPattern, ended?: () => void): void {
    if (this.#wanted.delete(keyOf(pattern))) this.#link?.unwanted(pattern, ended);
  }

  registered(claim: RegistrationClaim, done: Registered): void {
    const link = this.#link;
    if (link === undefined) return done(away());
    const asked: AskedRegistration = { done, id: 0 };
    this.#claims.set(claim, asked);
    link.registered(claim, (error, standing) => {
      if (this.#claims.get(claim) !== asked) return;
      asked.id = standing?.id ?? 0;
      if (error !== undefined) this.#claims.delete(claim);
      take(asked)?.(error, standing);
    });
  }

  unregistered(claim: RegistrationClaim, ended?: () => void): void {
    if (!this.#claims.delete(claim)) return;
    this.#link?.unregistered(claim, ended);
    this.#returning.get(claim)?.();
  }

  ask(question: MetaQuestion, done: Parameters<Uplink['ask']>[1]): void {
    if (this.#link === undefined) done(away());
    else this.#link.ask(question, done);
  }

  publish(publication: Publication): void {
    if (this.#link === undefined || this.#isToldAlready) throw away();
    this.#link.publish(publication);
  }

  #wantAgain(link: RealmLink, pattern: WantedPattern): Promise<void> {
    return new Promise((resolve) => link.wanted(pattern, () => resolve()));
  }

  /** Resolves when the others have said something about a claim, or it is over: nobody hears what became of it then. */
  #registerAgain(link: RealmLink, claim: RegistrationClaim, id: number): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        this.#returning.delete(claim);
        resolve();
      };
      this.#returning.set(claim, over);
      this.#claimAgain(link, claim, id, over);
    });
  }

  /** Tries until the others have said something. @param id what its session knows it by */
  #claimAgain(link: RealmLink, claim: RegistrationClaim, id: number, over: () => void): void {
    link.registeredAgain(claim, id, (error, standing) => {
      if (this.#link !== link || !this.#claims.has(claim)) return over();
      if (error === undefined) {
        if (standing !== undefined) this.#realm?.elsewhere.regained(claim, standing);
        return over();
      }
      if (error.uri === ErrorUri.UNAVAILABLE) {
        this.#scheduler.after(RETRY_MS, () => {
          if (this.#link === link && this.#claims.has(claim)) this.#claimAgain(link, claim, id, over);
          else over();
        });
        return;
      }
      this.#revoke(claim, error.uri);
      over();
    });
  }

  /** Another node has it now, or began it anew, and whoever cleaned up behind the last life of this one has told that it ended. */
  #revoke(claim: RegistrationClaim, reason: string): void {
    // First forgotten here, because the directory has forgotten it, too.
    this.#claims.delete(claim);
    this.#isToldAlready = true;
    try {
      this.#realm?.elsewhere.revokeClaim(claim, reason);
    } finally {
      this.#isToldAlready = false;
    }
  }
}

/** @returns what waits for the answer: it is given one. */
function take<Done extends Wanted | Registered>(asked: Asked<Done>): Done | undefined {
  const { done } = asked;
  asked.done = undefined;
  return done;
}

function away(): WampError {
  return new WampError(ErrorUri.UNAVAILABLE, AWAY);
}

function keyOf({ match, uri }: WantedPattern): string {
  return `${match} ${uri}`;
}
