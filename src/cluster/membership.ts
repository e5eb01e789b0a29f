/**
 * Which nodes there are. A node is in the cluster from {@link Membership.join} until it leaves, or until another node removes it
 * because nothing was heard of it:
 *
 *     joining -> member -> left        it said so, and cleaned up behind it
 *                       -> fenced      it could not prove its life for `fenceMs`, or was removed: it must stop serving at once
 *
 * Every node publishes heartbeats, and hears those of all, its own too: what comes back proves that the others can hear it. The others
 * remove a node `removeMs` after its last heartbeat, which is later than `fenceMs`: so when its registrations are given to others it
 * serves nobody any more. A node that was stopped and goes on finds out by the clock, before it has heard anything.
 *
 * In the bucket there is a key `n.<node>.<epoch>` for each node, and `gone.<node>.<epoch>` for one that was removed. Whoever creates
 * that key cleans up behind it, and deletes the first one then. A node that comes back has another epoch.
 */
import { EngineError, isConflict } from '../engine/engine.js';
import { decodeJson, encodeJson } from './json.js';
import { isSame, keyOf, nodeOf } from './node-ref.js';
import { GONE, HERE, heartbeatIn, hereIn, isTaken, nodeIn, slotOf, tracesIn } from './nodes-bucket.js';
import { OwnHeartbeats, isHeard } from './own-heartbeats.js';
import { sayRepeated } from '../log/repeated.js';
import type { Change, EngineMessage } from '../engine/engine.js';
import type { KnownNode } from './known-node.js';
import type { MembershipDeps } from './membership-deps.js';
import type { NodeRef } from './node-ref.js';

/** How long ago a node may have gone whose traces are kept: so long a message may be on its way. */
const TRACE_MS = 60_000;

const CLEANS_AGAIN = 'could not clean up behind a node that is gone, and tries again';
const VALUES_GONE = "the cluster's values are gone";

/** Between two messages that reached nobody, at least, for a node to be suspect: a link that is made anew is back sooner. */
const ABSENT_MS = 50;

/** After a failure to clean up. */
const RETRY_MS = 1000;

export class Membership {
  readonly #deps: MembershipDeps;
  // the key of a node -> what is known of it; without this node
  readonly #others = new Map<string, KnownNode>();
  /** The keys of those that have gone a short time ago: a late change of the bucket does not bring them back. */
  readonly #gone = new Set<string>();
  // the key of a node that was removed, and behind which nobody has cleaned up yet -> the key of the node that does
  readonly #uncleaned = new Map<string, string>();
  #self: NodeRef;
  #slot = 0;
  /** A change of the bucket that this node waits for while it joins. */
  #awaited: { readonly revision: number; readonly noted: () => void } | undefined;
  #state: 'joining' | 'member' | 'fenced' | 'left' = 'joining';
  /** Whether everything that was there has been noted. */
  #isJoined = false;
  readonly #heartbeats: OwnHeartbeats;
  readonly #ends = new Set<() => void>();
  #areValuesGone = false;
  #fencedWhy = '';

  private constructor(deps: MembershipDeps) {
    this.#deps = deps;
    this.#self = { name: deps.name, epoch: 0 };
    this.#heartbeats = new OwnHeartbeats({ ...deps, forgetMs: deps.timings.fenceMs });
  }

  /**
   * Joins the cluster: resolves when all nodes that there are have been told to the listener.
   * Rejects with EngineError: `refused` when another node of the same name is alive.
   */
  static async join(deps: MembershipDeps): Promise<Membership> {
    const membership = new Membership(deps);
    try {
      await membership.#join();
    } catch (error) {
      membership.#end();
      throw error;
    }
    return membership;
  }

  get self(): NodeRef {
    return this.#self;
  }

  /** Why this node may not serve, for people; empty as long as it may. */
  get fencedWhy(): string {
    return this.#fencedWhy;
  }

  /**
   * A number that no other node has as long as this one is there, below {@link SLOTS}. It is the place of the node's key among the changes
   * of the bucket: so nobody has to be asked, and nothing has to be given back.
   */
  get slot(): number {
    return this.#slot;
  }

  /** @returns the other node that has a slot. */
  nodeOfSlot(slot: number): NodeRef | undefined {
    for (const member of this.#others.values()) if (member.slot === slot) return member.node;
    return undefined;
  }

  /** All others that are there. */
  get others(): readonly NodeRef[] {
    return [...this.#others.values()].map(({ node }) => node);
  }

  /** @returns whether nothing was heard of a node for some time; true for one that is gone. */
  isSuspect(node: NodeRef): boolean {
    const member = this.#others.get(keyOf(node));
    return member === undefined || member.isAbsent || this.isSilent(node);
  }

  /** @returns whether nothing was heard of a node for so long, whatever became of messages to it; true for one that is gone. */
  isSilent(node: NodeRef): boolean {
    const member = this.#others.get(keyOf(node));
    return member === undefined || this.#silentMs(member) >= this.#deps.timings.suspectMs;
  }

  /** @returns when a heartbeat of a node came last, in milliseconds of the scheduler; undefined for one that is gone. */
  heardMs(node: NodeRef): number | undefined {
    return this.#others.get(keyOf(node))?.heardMs;
  }

  /**
   * A message to a node surely reached nobody: its process is gone, or its link is down. Is it so a second time, the node is suspect until it
   * is heard again. Its registrations stay its own for as long as ever: cut off it may serve its clients until it fences itself.
   */
  noticeAbsent(node: NodeRef): void {
    const member = this.#others.get(keyOf(node));
    if (member === undefined) return;
    const now = this.#deps.scheduler.elapsed();
    member.absentMs ??= now;
    if (now - member.absentMs >= ABSENT_MS) member.isAbsent = true;
  }

  /** @returns whether somebody is to clean up behind a node, or does so. */
  isUncleaned(node: NodeRef): boolean {
    return this.#uncleaned.has(keyOf(node));
  }

  /** @returns whether a node has gone a short time ago. */
  isGone(node: NodeRef): boolean {
    return this.#gone.has(keyOf(node));
  }

  /**
   * @returns whether this node may serve. It looks at the clock: a node that was stopped finds out here, before any timer. When it may
   *   not, the listener has been told.
   */
  mayServe(): boolean {
    if (this.#state !== 'member') return false;
    if (this.#heartbeats.unprovenMs < this.#deps.timings.fenceMs) return true;
    this.#fence('its heartbeats did not come back');
    return false;
  }

  /** What the nodes know of each other is lost. This one comes back as another member, and writes everything anew, as they all do. */
  valuesGone(): void {
    this.#areValuesGone = true;
    this.#awaited?.noted();
    this.#fence(VALUES_GONE);
  }

  /** The node has cleaned up behind it, and the others are told so. Rejects with EngineError when they cannot be: they will notice. */
  async leave(): Promise<void> {
    const wasMember = this.#state === 'member';
    this.#state = 'left';
    this.#end();
    if (wasMember) await this.#deps.bucket.delete(HERE + keyOf(this.#self));
  }

  async #join(): Promise<void> {
    const { engine, bucket, subject } = this.#deps;
    const known: Change[] = [];
    const note = (change: Change): void => {
      if (this.#state !== 'joining') return this.#note(change);
      known.push(change);
      if (this.#awaited !== undefined && change.revision >= this.#awaited.revision) this.#awaited.noted();
    };
    this.#ends.add(await bucket.watch(note, () => this.valuesGone()));
    const earlier = hereIn(known).filter(({ name }) => name === this.#deps.name);
    await this.#checkSilence(earlier);
    this.#ends.add(engine.subscribe(subject, (message) => this.#hear(message)));
    await this.#claimEpoch(known);
    if (this.#areValuesGone) throw new EngineError('unavailable', VALUES_GONE);
    this.#state = 'member';
    this.#heartbeats.begin();
    for (const change of known) this.#note(change);
    this.#isJoined = true;
    for (const [key, by] of this.#uncleaned) if (by !== keyOf(this.#self) && !this.#others.has(by)) this.#takeOver(key);
    await Promise.all(earlier.map((node) => this.#remove(node)));
    await Promise.all(tracesIn(known, this.#deps.clock() - TRACE_MS).map((key) => bucket.erase(key)));
  }

  /** Earlier lives of this node ended without a word, and nothing is heard of them. Rejects with EngineError when something is. */
  async #checkSilence(earlier: readonly NodeRef[]): Promise<void> {
    if (earlier.length === 0) return;
    if (!(await isHeard(earlier, { ...this.#deps, withinMs: this.#deps.timings.suspectMs }))) return;
    throw new EngineError(
      'refused',
      `there is a node "${this.#deps.name}" in the cluster already: each needs a name of its own`,
    );
  }

  async #claimEpoch(known: readonly Change[]): Promise<void> {
    const { name, clock, bucket } = this.#deps;
    const epochs = known.map(({ key }) => nodeIn(key)).filter((node) => node?.name === name);
    let epoch = Math.max(clock(), ...epochs.map((node) => (node?.epoch ?? 0) + 1));
    for (; ; epoch += 1) {
      const key = HERE + keyOf({ name, epoch });
      try {
        const revision = await bucket.create(key, encodeJson({ since: clock() }));
        this.#announce({ name, epoch });
        if (await this.#hasSlot(revision, key, known)) return;
        await bucket.delete(key);
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }

  /** From now on the others remove it when it is silent: however long it takes until its own key has come back. */
  #announce(self: NodeRef): void {
    const isFirst = this.#self.epoch === 0;
    this.#self = self;
    if (isFirst) this.#beat();
  }

  /** @returns whether this node has the slot of its key: else another one has had it for {@link SLOTS} changes of the bucket. */
  async #hasSlot(revision: number, key: string, known: readonly Change[]): Promise<boolean> {
    // Who came before is known when the own key comes.
    if (!this.#areValuesGone && !known.some((change) => change.revision >= revision)) {
      await new Promise<void>((noted) => (this.#awaited = { revision, noted }));
    }
    if (this.#areValuesGone) throw new EngineError('unavailable', VALUES_GONE);
    this.#slot = slotOf(revision);
    return !isTaken(this.#slot, key, known);
  }

  /** Sends a heartbeat, looks who is silent, and comes back later. */
  #beat(): void {
    if (this.#state !== 'joining' && !this.mayServe()) return;
    const { timings } = this.#deps;
    this.#later(timings.heartbeatMs, () => this.#beat());
    this.#heartbeats.send(keyOf(this.#self));
    for (const member of this.#others.values()) {
      if (this.#silentMs(member) < timings.removeMs) continue;
      this.#remove(member.node).catch((error: unknown) =>
        sayRepeated(this.#deps, 'warn', { err: error, node: member.node.name }, 'a silent node could not be removed'),
      );
    }
  }

  #hear({ data }: EngineMessage): void {
    const heartbeat = heartbeatIn(data);
    if (heartbeat === undefined) return;
    if (isSame(heartbeat.from, this.#self)) return this.#heartbeats.cameBack(heartbeat.count);
    const member = this.#others.get(keyOf(heartbeat.from));
    if (member === undefined) return;
    member.heardMs = this.#deps.scheduler.elapsed();
    member.absentMs = undefined;
    member.isAbsent = false;
  }

  /** A change of the bucket. */
  #note({ key, value, revision }: Change): void {
    const node = nodeIn(key);
    if (this.#state !== 'member' || node === undefined) return;
    if (isSame(node, this.#self)) return this.#noteSelf(key, value);
    if (key.startsWith(HERE) && value !== undefined) return this.#isHere(node, slotOf(revision));
    if (key.startsWith(HERE)) {
      this.#uncleaned.delete(keyOf(node));
      return this.#isGone(node);
    }
    if (value === undefined) return;
    const { by } = decodeJson(value);
    this.#isGone(node);
    this.#isUncleaned(node, String(by));
  }

  #noteSelf(key: string, value: Uint8Array | undefined): void {
    if (key.startsWith(GONE) && value !== undefined) this.#fence('another node heard nothing of it, and removed it');
    if (key.startsWith(HERE) && value === undefined) this.#fence('its entry in the cluster was deleted');
  }

  #isHere(node: NodeRef, slot: number): void {
    const key = keyOf(node);
    // An earlier life of this node is none of the others.
    if (node.name === this.#self.name || this.#gone.has(key) || this.#others.has(key)) return;
    const heardMs = this.#deps.scheduler.elapsed();
    this.#others.set(key, { node, slot, heardMs, absentMs: undefined, isAbsent: false });
    this.#deps.listener.joined(node);
  }

  #isGone(node: NodeRef): void {
    const key = keyOf(node);
    if (this.#gone.has(key)) return;
    this.#gone.add(key);
    this.#later(TRACE_MS, () => this.#gone.delete(key));
    this.#others.delete(key);
    this.#deps.listener.removed(node);
    for (const [uncleaned, by] of this.#uncleaned) if (by === key) this.#takeOver(uncleaned);
  }

  /** Says that a node is gone. The bucket tells all nodes, this one too, and who of them cleans up. */
  async #remove(node: NodeRef): Promise<void> {
    const { bucket, log } = this.#deps;
    try {
      await bucket.create(GONE + keyOf(node), encodeJson({ by: keyOf(this.#self) }));
      log.warn({ node: node.name, epoch: node.epoch }, 'removed a node that is silent from the cluster');
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }

  #isUncleaned(node: NodeRef, by: string): void {
    const key = keyOf(node);
    this.#uncleaned.set(key, by);
    if (by === keyOf(this.#self)) this.#clean(node);
    // The one that was to do it was gone before this node joined, or is gone by now.
    else if (this.#isJoined && !this.#others.has(by)) this.#takeOver(key);
  }

  /** Of those that are left, one takes over: the one whose key is the smallest. */
  #takeOver(key: string): void {
    const node = nodeOf(key);
    if (node === undefined) return;
    const self = keyOf(this.#self);
    const [first] = [self, ...this.#others.keys()].sort();
    this.#uncleaned.set(key, first ?? self);
    if (first === self) this.#clean(node);
  }

  #clean(node: NodeRef): void {
    const { listener, bucket } = this.#deps;
    const key = keyOf(node);
    const clean = async (): Promise<void> => {
      await listener.clean(node);
      await bucket.delete(HERE + key);
    };
    clean().catch((error: unknown) => {
      if (this.#state !== 'member') return;
      sayRepeated(this.#deps, 'warn', { err: error, node: node.name }, CLEANS_AGAIN);
      this.#later(RETRY_MS, () => this.#clean(node));
    });
  }

  #later(ms: number, action: () => void): void {
    const end = this.#deps.scheduler.after(ms, () => {
      this.#ends.delete(end);
      action();
    });
    this.#ends.add(end);
  }

  #fence(why: string): void {
    if (this.#state !== 'member') return;
    this.#state = 'fenced';
    this.#fencedWhy = why;
    this.#end();
    this.#deps.listener.fenced(why);
  }

  #end(): void {
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  #silentMs({ heardMs }: KnownNode): number {
    return this.#deps.scheduler.elapsed() - heardMs;
  }
}
