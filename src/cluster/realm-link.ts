/** One realm of this node, joined to the same realm of the others: publish and subscribe, registrations and calls. */
import { createHash } from 'node:crypto';
import { RealmCalls } from './calls/realm-calls.js';
import { RealmEvents } from './realm-events.js';
import type { Publication, RegistrationClaim, Uplink, WantedPattern } from '../router/uplink.js';
import type { WampError } from '../wamp/error.js';
import type { CallRealm, RealmCallsDeps } from './calls/realm-calls.js';
import type { RegistrationDirectory } from './directory/registrations.js';
import type { RealmEventsDeps } from './realm-events.js';

export interface RealmLinkDeps
  extends Pick<RealmEventsDeps, 'engine' | 'prefix' | 'barrier' | 'mayServe'>, Pick<RealmCallsDeps, 'send' | 'log'> {
  readonly name: string;
  readonly directory: Pick<RegistrationDirectory, 'claim' | 'claimOf' | 'listen' | 'release'>;
}

/** Ids are below 2^53 (section "IDs"). */
const ID_BITS = 53n;

/** An `Uplink`: give it to a router as `uplinkOf`, and then {@link RealmLink.begin} it with the realm. */
export class RealmLink implements Uplink {
  readonly calls: RealmCalls;
  readonly events: RealmEvents;
  readonly #deps: RealmLinkDeps;
  #realm: CallRealm | undefined;

  constructor(deps: RealmLinkDeps) {
    this.#deps = deps;
    this.events = new RealmEvents({
      ...deps,
      deliver: (pattern, publication) => this.#of().elsewhere.deliver(pattern, publication),
    });
    this.calls = new RealmCalls({
      realm: () => this.#of(),
      idOf: (pattern) => this.idOf(pattern),
      claimOf: (key) => deps.directory.claimOf(key),
      send: deps.send,
      log: deps.log,
    });
  }

  /** The realm is there: it learns of the callees of the other nodes. */
  begin(realm: CallRealm): void {
    this.#realm = realm;
    this.#deps.directory.listen(this.#deps.name, this.calls);
  }

  /** This node has left the cluster. */
  end(): void {
    this.events.end();
    this.calls.end();
  }

  /** A hash of the pattern: so that all nodes agree without a question. Of a million patterns two have the same with 1 : 18,000. */
  idOf({ uri, match }: WantedPattern): number {
    const digest = createHash('sha256').update(`${this.#deps.name}\0${match}\0${uri}`).digest();
    return Number(digest.readBigUInt64BE(0) >> (64n - ID_BITS)) || 1;
  }

  wanted(pattern: WantedPattern, done: (error?: WampError) => void): void {
    this.events.wanted(pattern, done);
  }

  unwanted(pattern: WantedPattern): void {
    this.events.unwanted(pattern);
  }

  registered(claim: RegistrationClaim, done: (error?: WampError, place?: number) => void): void {
    this.#deps.directory.claim(this.#deps.name, claim, done);
  }

  unregistered(claim: RegistrationClaim): void {
    this.#deps.directory.release(claim);
  }

  publish(publication: Publication): void {
    this.events.publish(publication);
  }

  #of(): CallRealm {
    if (this.#realm === undefined) throw new TypeError(`the realm ${this.#deps.name} has not begun`);
    return this.#realm;
  }
}
