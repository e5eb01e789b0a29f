/**
 * The registrations of all nodes: a copy of the bucket, kept by its watch, and the claims of this node in it. Routing a call needs no
 * question to anybody. Each key has one writer, the node of the callee; `verdict.ts` says how they agree all the same.
 */
import { EngineError } from '../../engine/engine.js';
import { sayRepeated } from '../../log/repeated.js';
import { isSame, keyOf } from '../node-ref.js';
import { ID_TAKEN, idTaken } from '../pattern-id.js';
import { wampErrorOf } from '../realm-events.js';
import { encodeEntry, entryKey, entryOf, isHeld } from './entry.js';
import { RegistrationIds } from './ids.js';
import { NO_LISTENER } from './listener.js';
import { beginningOf, begunAnew, calleesIn, lastBirth, publicCallees, takenByForce, verdictOn } from './verdict.js';
import { Releases, releasedBy } from './releases.js';
import { LostCallees } from './lost-callees.js';
import type { Logger } from '../../log/logger.js';
import type { RepeatedLog } from '../../log/repeated.js';
import type { Scheduler } from '../../router/observer.js';
import type { RegistrationClaim } from '../../router/uplink.js';
import type { WampError } from '../../wamp/error.js';
import type { Bucket, Change } from '../../engine/engine.js';
import type { NodeRef } from '../node-ref.js';
import type { PatternIdOf } from '../pattern-id.js';
import type { Birth, CalleeEntry, HeldEntry } from './entry.js';
import type { RegistrationListener } from './listener.js';
import type { Done, Own } from './own-claim.js';
import type { ReleasedOf } from './releases.js';

export interface DirectoryDeps {
  readonly bucket: Bucket;
  readonly self: NodeRef;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  /** For what may fail again and again. */
  readonly repeated?: RepeatedLog;
  /** The hash of a pattern, by which its claims are one group. */
  readonly idOf: PatternIdOf;
  /** @returns an id for a registration that no other node gives. */
  readonly newId: () => number;
  /** @param done called when all other nodes have seen all changes up to a revision. */
  readonly seen: (revision: number, done: () => void) => void;
  /** Without it others are taken for callees until their keys are deleted. */
  readonly releasedOf?: ReleasedOf;
  /** Called when all registrations of the bucket are lost. */
  readonly gone: () => void;
}

type Callees = ReadonlyMap<string, HeldEntry>;

const NOBODY: Callees = new Map();

export class RegistrationDirectory {
  readonly #deps: DirectoryDeps;
  // group -> its entries by key, those of nodes that have gone too; no map is empty
  readonly #groups = new Map<string, Map<string, CalleeEntry>>();
  /** The keys of nodes that have gone: nobody calls their sessions, whoever cleans up behind them and when. */
  readonly #gone = new Set<string>();
  readonly #ids: RegistrationIds;
  // Claims of this node by key, and the keys by claim
  readonly #own = new Map<string, Own>();
  readonly #keys = new Map<RegistrationClaim, string>();
  readonly #listeners = new Map<string, RegistrationListener>();
  /** The callees behind whose nodes this one has cleaned up. */
  readonly lost = new LostCallees();
  // Keys of this node that are being deleted -> called if it was the last callee
  readonly #endings = new Map<string, () => void>();
  /** Keys of nodes that have gone, which this node deletes. */
  readonly #cleaned = new Set<string>();
  /** Those that wait until this node has seen a revision. */
  #waiting: { readonly revision: number; readonly done: () => void }[] = [];
  #revision = 0;
  readonly #releases: Releases;
  #lastNumber = 0;
  #isUncleaned: ((node: NodeRef) => boolean) | undefined;
  #endWatch: () => void = () => undefined;

  /** Use {@link RegistrationDirectory.open}. */
  private constructor(deps: DirectoryDeps) {
    this.#deps = deps;
    this.#ids = new RegistrationIds(deps.newId);
    this.#releases = new Releases(deps);
  }

  /** Rejects with EngineError. */
  static async open(deps: DirectoryDeps): Promise<RegistrationDirectory> {
    const directory = new RegistrationDirectory(deps);
    directory.#endWatch = await deps.bucket.watch((change) => directory.#note(change), deps.gone);
    return directory;
  }

  /** Whose callees are told from now on, those that are there first. */
  listen(realm: string, listener: RegistrationListener): void {
    this.#listeners.set(realm, listener);
    for (const group of this.#groups.values()) {
      for (const entry of this.#inForce(group).values()) {
        if (entry.realm === realm && !this.#isOwn(entry)) listener.added(entry);
      }
    }
    // Some may have lost their place while nobody listened.
    for (const [key, own] of [...this.#own]) {
      if (own.realm !== realm || own.done !== undefined) continue;
      const group = this.#groups.get(key.split('.').slice(0, 2).join('.'));
      if (group?.has(key) === true && !this.#inForce(group).has(key)) listener.superseded(own.claim);
    }
  }

  /** Nobody listens for a realm any more. */
  unlisten(realm: string): void {
    this.#listeners.delete(realm);
  }

  /**
   * A session of this node wants to be a callee: see `Uplink.registered`.
   * @param keptId the id of its registration in an earlier life of this node. Such a claim takes nobody's place, and is refused where the
   *   registration began anew meanwhile: its session knows it by that id.
   */
  claim(realm: string, claim: RegistrationClaim, done: Done, keptId?: number): void {
    const key = entryKey(realm, this.#deps.idOf(realm, claim), this.#deps.self, ++this.#lastNumber);
    const createdMs = this.#deps.clock();
    const written = keptId === undefined ? claim : { ...claim, force: false };
    this.#own.set(key, { realm, claim, written, createdMs, keptId, done, isConfirming: false, asked: 'no' });
    this.#keys.set(claim, key);
    this.#deps.bucket.put(key, encodeEntry(realm, written)).catch((error: unknown) => this.#failed(key, error));
  }

  /** A claim is over: see `Uplink.unregistered`. */
  release(claim: RegistrationClaim, ended?: () => void): void {
    const key = this.#keys.get(claim);
    if (key === undefined) return;
    if (ended !== undefined) this.#endings.set(key, ended);
    this.#drop(key);
  }

  /** @returns the claim of this node with a key, if it is one still. */
  claimOf(key: string): RegistrationClaim | undefined {
    return this.#own.get(key)?.claim;
  }

  /** See `Releases.revision`. */
  released(): Promise<number> {
    return this.#releases.revision();
  }

  /** The revision that this node has seen. */
  get revision(): number {
    return this.#revision;
  }

  /** @param done called when this node has seen all changes up to a revision. */
  reached(revision: number, done: () => void): void {
    if (revision <= this.#revision) done();
    else this.#waiting.push({ revision, done });
  }

  /** Deletes what a node has left behind. Rejects with EngineError. */
  async cleanBehind(node: NodeRef): Promise<void> {
    const keys = [...this.#groups.values()].flatMap((group) =>
      [...group.values()].filter((entry) => isSame(entry.node, node)).map(({ key }) => key),
    );
    for (const key of keys) this.#cleaned.add(key);
    await Promise.all(keys.map((key) => this.#releases.delete(key)));
  }

  /**
   * Deletes what earlier lives of this node have left, and writes of theirs that come through later: nobody cleans up behind a life that the
   * cluster has lost with all its values.
   * @param isUncleaned whether somebody cleans up behind a life: he tells of it.
   */
  dropEarlier(isUncleaned: (node: NodeRef) => boolean): void {
    this.#isUncleaned = isUncleaned;
    for (const group of this.#groups.values())
      for (const entry of group.values()) if (this.#isOrphan(entry)) this.#releases.deleteLater(entry.key);
  }

  /** A node has gone: see {@link RegistrationDirectory.cleanBehind}. */
  forget(node: NodeRef): void {
    const isOf = (entry: CalleeEntry): boolean => isSame(entry.node, node);
    const groups = [...this.#groups.values()].filter((group) => [...group.values()].some(isOf));
    const before = groups.map((group) => this.#inForce(group));
    this.#gone.add(keyOf(node));
    for (const [index, group] of groups.entries()) {
      this.#tell(before[index] ?? NOBODY, this.#inForce(group));
      this.#judge(group);
    }
  }

  /** How many callees are known, those that only ask too, claims of this node, and ids of registrations. */
  get size(): { readonly entries: number; readonly own: number; readonly ids: number } {
    let entries = 0;
    for (const group of this.#groups.values()) entries += group.size;
    return { entries, own: this.#own.size, ids: this.#ids.size };
  }

  /** Ends the watch. What this node has in the bucket stays: see {@link RegistrationDirectory.leave}. */
  end(): void {
    this.#endWatch();
    this.#releases.end();
  }

  /** Deletes all that this node has in the bucket. Rejects with EngineError. */
  async leave(): Promise<void> {
    const keys = [...this.#own.keys()];
    this.#own.clear();
    this.#keys.clear();
    await Promise.all(keys.map((key) => this.#releases.delete(key)));
  }

  #note(change: Change): void {
    this.#revision = Math.max(this.#revision, change.revision);
    const entry = entryOf(change);
    if (entry !== undefined) this.#set(entry);
    else this.#remove(change.key.split('.').slice(0, 2).join('.'), change.key);
    const due = this.#waiting.filter(({ revision }) => revision <= this.#revision);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ revision }) => revision > this.#revision);
    for (const { done } of due) done();
  }

  #set(entry: CalleeEntry): void {
    const { group: name, key, node } = entry;
    // A write that was given up has come through, or one of a node that has gone since.
    const isOver = this.#gone.has(keyOf(node)) || this.#isOrphan(entry);
    const isLate = this.#isOwn(entry) ? !this.#own.has(key) : isOver;
    const group = this.#groups.get(name) ?? new Map<string, CalleeEntry>();
    const before = this.#inForce(group);
    const there = publicCallees(group);
    this.#replace(group.get(key), entry);
    group.set(key, entry);
    this.#groups.set(name, group);
    this.#tell(before, this.#inForce(group));
    if (isLate) this.#releases.deleteLater(key);
    else if (isHeld(entry) && this.#isOwn(entry)) {
      const own = this.#own.get(key);
      if (own !== undefined) own.beginning ??= beginningOf(key, there, publicCallees(group));
      this.#confirmed(entry, this.#inForce(group).has(key));
    }
    this.#judge(group);
  }

  #remove(name: string, key: string): void {
    const group = this.#groups.get(name);
    if (group?.has(key) !== true) return;
    const before = this.#inForce(group);
    const gone = publicCallees(group).find((entry) => entry.key === key);
    this.#replace(group.get(key));
    group.delete(key);
    if (group.size === 0) this.#groups.delete(name);
    this.#tellEnd(key, gone, publicCallees(group).length === 0);
    this.#tell(before, this.#inForce(group));
    this.#judge(group);
  }

  #replace(before: CalleeEntry | undefined, after?: CalleeEntry): void {
    if (after !== undefined) this.#ids.add(after);
    if (before !== undefined) this.#ids.remove(before);
  }

  /** A key was deleted. @param gone the callee that it was, if it was one */
  #tellEnd(key: string, gone: HeldEntry | undefined, isLast: boolean): void {
    const ended = this.#endings.get(key);
    this.#endings.delete(key);
    const wasCleaned = this.#cleaned.delete(key);
    if (gone === undefined) return;
    if (wasCleaned) this.lost.tell(gone, isLast);
    else if (isLast) ended?.();
  }

  /** @returns the callees of a group, by key. */
  #inForce(group: ReadonlyMap<string, CalleeEntry>): Callees {
    const live = [...group.values()].filter((entry) => this.#counts(entry));
    return new Map(calleesIn(live).map((entry) => [entry.key, entry]));
  }

  /** Whether an entry is more than what is left of one that is over. */
  #counts(entry: CalleeEntry): boolean {
    return this.#isOwn(entry) ? this.#own.has(entry.key) : !this.#gone.has(keyOf(entry.node));
  }

  /** Tells the realm what has changed in a group. */
  #tell(before: Callees, after: Callees): void {
    for (const [key, entry] of before) {
      if (after.has(key)) continue;
      const own = this.#own.get(key);
      if (!this.#isOwn(entry)) this.#listenerOf(entry).removed(entry);
      else if (own !== undefined) this.#supersede(entry, own);
    }
    for (const [key, entry] of after) {
      if (!before.has(key) && !this.#isOwn(entry)) this.#listenerOf(entry).added(entry);
    }
  }

  /** The realm may not know yet that it had a callee. */
  #supersede(entry: CalleeEntry, own: Own): void {
    if (own.done === undefined) this.#listenerOf(entry).superseded(own.claim);
    else this.#refuse(entry.key, own, takenByForce(own.claim.uri));
  }

  #listenerOf({ realm }: CalleeEntry): RegistrationListener {
    return this.#listeners.get(realm) ?? NO_LISTENER;
  }

  /** Decides about those of this node that ask. */
  #judge(group: ReadonlyMap<string, CalleeEntry>): void {
    for (const entry of group.values()) {
      const own = this.#own.get(entry.key);
      if (own?.done === undefined || isHeld(entry) || own.isConfirming) continue;
      const others = [...group.values()].filter((other) => other !== entry && this.#counts(other));
      const least = lastBirth(others)?.place ?? 0;
      const inForce = others.filter(({ place }) => place >= least);
      const verdict = entry.place < least ? takenByForce(entry.claim.uri) : verdictOn(entry, inForce);
      if (verdict === 'wait') continue;
      if (verdict === 'held') this.#confirm(entry, own, lastBirth(group.values()));
      else if (verdict === 'clash') this.#clash(entry, own);
      else if (own.asked === 'yes') this.#refuse(entry.key, own, verdict);
      else if (own.asked === 'no') void this.#ask(entry, own, inForce);
    }
  }

  #clash({ key, realm, claim: { uri, match } }: CalleeEntry, own: Own): void {
    this.#deps.log.warn({ realm, uri, match }, ID_TAKEN);
    this.#refuse(key, own, idTaken(uri));
  }

  /** Nobody is refused before the nodes of those that stand in the way were asked: see `releases.ts`. */
  async #ask({ group }: CalleeEntry, own: Own, others: readonly CalleeEntry[]): Promise<void> {
    own.asked = 'asking';
    const nodes = others.filter((entry) => !this.#isOwn(entry)).map(({ node }) => node);
    const revision = await releasedBy(nodes, this.#deps.releasedOf);
    await new Promise<void>((resolve) => this.reached(revision, resolve));
    own.asked = 'yes';
    this.#judge(this.#groups.get(group) ?? new Map<string, CalleeEntry>());
  }

  /** @param there the birth of the registration that it joins, unless it uses force; undefined: there is no callee. */
  #confirm({ key, place }: CalleeEntry, own: Own, there: Birth | undefined): void {
    const { written, keptId, createdMs } = own;
    if (keptId !== undefined && there !== undefined && there.id !== keptId) {
      return this.#refuse(key, own, begunAnew(written.uri));
    }
    own.isConfirming = true;
    const birth = written.force ? undefined : there;
    const held = { place, birth: birth ?? { id: keptId ?? this.#ids.next(), place, createdMs } };
    this.#deps.bucket
      .put(key, encodeEntry(own.realm, written, held))
      .catch((error: unknown) => this.#failed(key, error));
  }

  /** This node sees its callee in the bucket; when all others do, it is one. */
  #confirmed(entry: HeldEntry, isInForce: boolean): void {
    const { key, group, place, birth } = entry;
    const own = this.#own.get(key);
    const done = own?.done;
    if (own === undefined || done === undefined) return;
    if (!isInForce) return this.#refuse(key, own, takenByForce(own.claim.uri));
    if (!this.#ids.isFor(group, birth.id)) return this.#clash(entry, own);
    this.#deps.seen(this.#revision, () => {
      if (this.#own.get(key) !== own || own.done === undefined) return;
      own.done = undefined;
      const { id, createdMs } = birth;
      done(undefined, { id, place, createdMs, isFirst: false, ...own.beginning });
    });
  }

  #refuse(key: string, own: Own, error: WampError): void {
    const { done } = own;
    own.done = undefined;
    this.#drop(key);
    done?.(error);
  }

  /** A key could not be written: it is not known whether it was. */
  #failed(key: string, error: unknown): void {
    const own = this.#own.get(key);
    if (own === undefined) return;
    const facts = { err: error, procedure: own.claim.uri };
    sayRepeated(this.#deps, 'warn', facts, 'a registration could not be told to the cluster');
    if (!(error instanceof EngineError)) throw error;
    if (own.done !== undefined) this.#refuse(key, own, wampErrorOf(error));
  }

  #drop(key: string): void {
    const own = this.#own.get(key);
    if (own === undefined) return;
    this.#own.delete(key);
    this.#keys.delete(own.claim);
    this.#releases.deleteLater(key);
  }

  #isOrphan({ node: { name, epoch }, node }: CalleeEntry): boolean {
    const { self } = this.#deps;
    return name === self.name && epoch !== self.epoch && this.#isUncleaned?.(node) === false;
  }

  #isOwn({ node }: CalleeEntry): boolean {
    return isSame(node, this.#deps.self);
  }
}
