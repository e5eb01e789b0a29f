/**
 * This node in a cluster, from when it joins until it leaves or may not serve any more: it knows the other nodes, and joins its realms
 * to theirs. A node that comes back after that is another member.
 */
import { randomBytes } from 'node:crypto';
import { askWhileHeard } from './asking.js';
import { BARRIER, Barrier, ENDING } from './barrier.js';
import { RegistrationDirectory } from './directory/registrations.js';
import { EngineError } from '../engine/engine.js';
import { sayFarewell } from './farewell.js';
import { SessionIds } from './ids/session-ids.js';
import { clusterKey } from './ids/key.js';
import { createRandomId } from '../system/random.js';
import { Membership } from './membership.js';
import { patternId } from './pattern-id.js';
import { Peers } from './peers.js';
import { LostCalls } from './calls/lost-calls.js';
import { ANEW, ROLL } from './meta/roll.js';
import { META, META_ANSWERS } from './meta/realm-meta.js';
import { Standings } from './meta/standings.js';
import { RealmLink } from './realm-link.js';
import { RepeatedLog } from '../log/repeated.js';
import { Subjects, tokenOf } from './subjects.js';
import type { Logger } from '../log/logger.js';
import type { Scheduler } from '../router/observer.js';
import type { Engine } from '../engine/engine.js';
import type { Frame } from './frame.js';
import type { MembershipTimings } from './membership-deps.js';
import { isSame, keyOf } from './node-ref.js';
import type { NodeRef } from './node-ref.js';
import type { PatternIdOf } from './pattern-id.js';

/** What goes wrong between nodes, counted. */
export interface ClusterCounts {
  /** How often frames of another node were missing. */
  lost: number;
  /** Frames that surely reached nobody. */
  undelivered: number;
}

/** What a member is made with. */
export interface MemberDeps {
  readonly engine: Engine;
  /** The names of the cluster, and of this node. */
  readonly cluster: string;
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly scheduler: Scheduler;
  readonly timings: MembershipTimings;
  readonly log: Logger;
  /** What is counted over all lives of the node; by default nobody looks at it. */
  readonly counts?: ClusterCounts;
  /** The same on all nodes; a hash by default. */
  readonly idOf?: PatternIdOf;
  /** Called once when this node may not serve any more: its clients have to go at once. @param why for people */
  readonly fenced: (why: string) => void;
}

interface MemberParts {
  readonly membership: Membership;
  readonly peers: Peers;
  readonly barrier: Barrier;
  readonly standings: Standings;
  readonly directory: RegistrationDirectory;
  readonly repeated: RepeatedLog;
  readonly ids: SessionIds;
}

/** The kinds of frames that belong to a realm. */
const OF_REALMS = ['call', 'cancel', 'yield', 'error', 'busy'] as const;

/** "Behind which revision is known what is over at yours?" */
const RELEASED = 'released';

const OUT_OF_REACH = 'the cluster was out of reach while this node joined it';

/** So old a sign of life of a node may be that says nothing of what was sent to it meanwhile. */
const DELIVERY_MS = 100;

/** How long an answer of a node may take. */
const ANSWER_MS = 2000;

export class ClusterMember {
  readonly #deps: MemberDeps;
  readonly #subjects: Subjects;
  // realm -> what joins it to the others
  readonly #links = new Map<string, RealmLink>();
  readonly #parts: MemberParts;
  readonly #lostCalls: LostCalls;
  readonly #randomId = createRandomId();
  #isOver = false;

  /** Use {@link ClusterMember.join}. */
  private constructor(deps: MemberDeps, parts: MemberParts) {
    this.#deps = deps;
    this.#subjects = new Subjects(deps.cluster);
    this.#parts = parts;
    const { peers, membership, repeated } = parts;
    this.#lostCalls = new LostCalls({
      ...{ peers, repeated, links: this.#links, scheduler: deps.scheduler },
      isThere: (node) => !this.#isOver && membership.others.some((other) => isSame(other, node)),
    });
    this.#listen();
  }

  /** Rejects with EngineError: `refused` when there is another node of the same name. */
  static async join(deps: MemberDeps): Promise<ClusterMember> {
    const { engine, scheduler, clock, log, timings } = deps;
    const repeated = new RepeatedLog(log, () => scheduler.elapsed());
    const subjects = new Subjects(deps.cluster);
    const name = tokenOf(deps.cluster);
    const nodes = await engine.bucket(`${name}_nodes`, { durable: true });
    const registrations = await engine.bucket(`${name}_registrations`, { durable: true });
    // What becomes known before everything is there is known to `membership`, too.
    const late: { member?: ClusterMember } = {};
    const gone: NodeRef[] = [];
    let complete = (): void => undefined;
    const completed = new Promise<void>((resolve) => (complete = resolve));
    const membership = await Membership.join({
      ...{ engine, bucket: nodes, subject: subjects.heartbeat, name: deps.node, clock, scheduler, timings },
      ...{ log, repeated },
      listener: {
        joined: (node) => late.member?.askRoll(node),
        removed: (node) => (late.member === undefined ? gone.push(node) : late.member.forget(node)),
        clean: async (node) => {
          await completed;
          await late.member?.cleanBehind(node);
        },
        fenced: (why) => late.member?.fence(why),
      },
    });
    const peers = new Peers({
      ...{ engine, self: membership.self, scheduler, log, markMs: timings.heartbeatMs, answerMs: ANSWER_MS },
      marks: 1 + Math.ceil(timings.removeMs / timings.heartbeatMs),
      subjectOf: (node) => subjects.node(node.name, node.epoch),
      isGone: (node) => membership.isGone(node),
    });
    let directory: RegistrationDirectory | undefined;
    let ids: SessionIds;
    const standings = new Standings({
      selfKey: keyOf(membership.self),
      sinceOf: (id) => late.member?.subscribedSince(id),
    });
    const barrier = new Barrier({
      ...{ peers, membership, scheduler, standings },
      revision: () => directory?.revision ?? 0,
      unheard: ({ name }) =>
        repeated.say('warn', { node: name }, 'goes on without the answer of a node that is silent'),
    });
    try {
      directory = await RegistrationDirectory.open({
        ...{ bucket: registrations, self: membership.self, clock, scheduler, log, repeated },
        idOf: deps.idOf ?? patternId,
        newId: () => ids.next(),
        seen: (_revision, done) => barrier.pass(done),
        releasedOf: async (node) =>
          Number((await askWhileHeard({ peers, membership, scheduler }, node, RELEASED, {}))?.head['v'] ?? 0),
        gone: () => membership.valuesGone(),
      });
      ids = new SessionIds(await clusterKey(nodes, randomBytes(32)), membership.slot, createRandomId());
      if (!membership.mayServe()) throw new EngineError('unavailable', `${OUT_OF_REACH}: ${membership.fencedWhy}`);
    } catch (error) {
      peers.end();
      directory?.end();
      repeated.end();
      await membership.leave().catch(() => undefined);
      throw error;
    }
    complete();
    directory.dropEarlier((node) => membership.isUncleaned(node));
    const parts = { membership, peers, barrier, standings, directory, ids, repeated };
    late.member = new ClusterMember(deps, parts);
    for (const node of gone) late.member.forget(node);
    return late.member;
  }

  get self(): NodeRef {
    return this.#parts.membership.self;
  }

  /** The other nodes. */
  get others(): readonly NodeRef[] {
    return this.#parts.membership.others;
  }

  /** How many patterns the other nodes are asked about: whether they begin or end here. */
  get openStandings(): number {
    return this.#parts.standings.size;
  }

  /** Whether this node may serve. */
  mayServe(): boolean {
    return this.#parts.membership.mayServe();
  }

  /** @returns an id for a session of this node, which no other node gives: see `RouterDeps.newSessionId`. */
  newSessionId(): number {
    return this.#parts.ids.next();
  }

  /** @returns the other node that gave a session id, if it is there. */
  nodeOfSession(id: number): NodeRef | undefined {
    const { ids, membership } = this.#parts;
    const slot = ids.slotOf(id);
    return slot === undefined ? undefined : membership.nodeOfSlot(slot);
  }

  /** @returns when a subscription of this node was created, in milliseconds since 1970; undefined when it has no subscribers. */
  subscribedSince(id: number): number | undefined {
    for (const link of this.#links.values()) {
      const sinceMs = link.subscribedSince(id);
      if (sinceMs !== undefined) return sinceMs;
    }
    return undefined;
  }

  /** @returns what joins a realm to the same realm of the other nodes; the same each time. */
  linkOf(realm: string): RealmLink {
    let link = this.#links.get(realm);
    if (link === undefined) {
      const { peers, barrier, standings, directory, membership, ids } = this.#parts;
      const { scheduler, clock } = this.#deps;
      link = new RealmLink({
        ...{ name: realm, engine: this.#deps.engine, prefix: this.#subjects.events(realm), barrier, directory },
        ...{ standings, clock, scheduler },
        log: this.#deps.log.child({ realm }),
        idOf: this.#deps.idOf ?? patternId,
        mayServe: () => this.mayServe(),
        send: (to, kind, head, payload, token) =>
          peers.send(
            to,
            kind,
            { ...head, r: realm },
            payload,
            token && `${tokenOf(realm).length}-${tokenOf(realm)}-${token}`,
          ),
        meta: {
          ...{ membership, scheduler, answerMs: ANSWER_MS },
          nodeOfSession: (id) => this.nodeOfSession(id),
          send: (to, kind, head) => peers.send(to, kind, { ...head, r: realm }),
          ask: (to, kind, head, heard) => peers.ask(to, kind, { ...head, r: realm }, heard),
        },
        attendance: {
          ...{ self: this.self, heartbeatMs: this.#deps.timings.heartbeatMs },
          nodeOf: (id) => (ids.slotOf(id) === membership.slot ? this.self : this.nodeOfSession(id)),
        },
        randomId: this.#randomId,
      });
      this.#links.set(realm, link);
    }
    return link;
  }

  /** A realm of this node is gone: it is not joined to the others any more. */
  unlink(realm: string): void {
    this.#links.get(realm)?.end();
    this.#links.delete(realm);
  }

  /** A node has gone. */
  forget(node: NodeRef): void {
    const { peers, directory } = this.#parts;
    peers.forget(node);
    directory.forget(node);
    for (const link of this.#links.values()) link.forget(node);
  }

  /**
   * What this node and the others published may have been lost, because its link was down; or there is what was never published, because
   * it was away. The lists of sessions that are kept of other nodes are made anew, and those that others keep of this one.
   */
  askAnew(): void {
    if (this.#isOver) return;
    for (const node of this.others) {
      this.askRoll(node);
      try {
        this.#parts.peers.send(node, ANEW, {});
      } catch (error) {
        // The link is down again: when it is back this is called.
        if (!(error instanceof EngineError)) throw error;
      }
    }
  }

  cleanBehind(node: NodeRef): Promise<void> {
    return this.#parts.directory.cleanBehind(node);
  }

  /** This node may not serve any more. */
  fence(why: string): void {
    if (this.#isOver) return;
    this.#end();
    this.#deps.fenced(why);
  }

  /** Leaves the cluster, after its sessions have gone. Never rejects: the others notice by themselves when they cannot be told. */
  async leave(): Promise<void> {
    if (this.#isOver) return;
    try {
      try {
        await sayFarewell({ ...this.#parts, scheduler: this.#deps.scheduler });
      } finally {
        this.#end();
        await this.#parts.membership.leave();
      }
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'could not leave the cluster in good order: the other nodes will notice');
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { peers, directory, barrier, repeated } = this.#parts;
    barrier.end();
    for (const link of this.#links.values()) link.end();
    peers.end();
    directory.end();
    repeated.end();
  }

  #listen(): void {
    const { peers, directory, standings } = this.#parts;
    peers.on(BARRIER, (from, { head }, answer) =>
      standings.asked(keyOf(from), head, (said) => directory.reached(Number(head['v']), () => answer?.(said))),
    );
    peers.on(ENDING, (from, { head }, answer) => standings.asked(keyOf(from), head, (said) => answer?.(said)));
    peers.on(RELEASED, (_from, _frame, answer) => void directory.released().then((v) => answer?.({ v })));
    for (const kind of OF_REALMS) peers.on(kind, (from, frame) => this.#received(from, kind, frame));
    peers.on(META, (from, frame, answer) => {
      const meta = this.#links.get(String(frame.head['r']))?.meta;
      if (meta === undefined || answer === undefined || !this.mayServe()) answer?.({ none: true });
      else meta.asked(from, frame, answer);
    });
    for (const kind of META_ANSWERS) {
      peers.on(kind, (from, frame) => this.#links.get(String(frame.head['r']))?.meta.received(from, kind, frame));
    }
    peers.undelivered = (to, token) => this.#undelivered(to, token);
    peers.lost = (from) => this.#lost(from);
    peers.absent = (node, isMark) => this.#absent(node, isMark);
    peers.on(ROLL, (from, { head }, answer) => {
      const roll = this.mayServe() ? this.#links.get(String(head['r']))?.roll : undefined;
      answer?.(roll?.asked(from, head) ?? { none: true });
    });
    peers.on(ANEW, (from) => this.askRoll(from));
  }

  #received(from: NodeRef, kind: string, frame: Frame): void {
    if (this.mayServe()) this.#links.get(String(frame.head['r']))?.calls.received(from, kind, frame);
  }

  /**
   * A frame surely reached nobody. What was sent to the node just before may be lost without a word: the servers of NATS on the way did not
   * know yet that it was away. So it is looked at again; and when it still is away, calls are over that it gave no sign of life after. A
   * node that is no member has nobody who says later that it has gone: with the first mark all calls to it are over.
   */
  #absent(node: NodeRef, isMark: boolean): void {
    const { membership, peers } = this.#parts;
    const isMember = membership.heardMs(node) !== undefined;
    if (isMark && !isMember)
      for (const { calls } of this.#links.values()) calls.unheard(node, Number.NEGATIVE_INFINITY);
    if (membership.isSuspect(node)) return;
    membership.noticeAbsent(node);
    if (!membership.isSuspect(node)) return peers.look(node);
    const heardMs = Math.max(membership.heardMs(node) ?? 0, peers.heardMs(node) ?? 0);
    for (const { calls } of this.#links.values()) calls.unheard(node, heardMs - DELIVERY_MS);
  }

  /** A token is the length of the realm's token, that token, the callee and the invocation. */
  #undelivered(to: NodeRef, token: string): void {
    if (this.#deps.counts !== undefined) this.#deps.counts.undelivered += 1;
    const length = Number.parseInt(token, 10);
    const rest = token.slice(String(length).length + 1);
    const [callee, invocation] = rest
      .slice(length + 1)
      .split('-')
      .map(Number);
    const link = [...this.#links].find(([realm]) => tokenOf(realm) === rest.slice(0, length))?.[1];
    if (callee !== undefined && invocation !== undefined) link?.calls.undelivered(to, [callee, invocation]);
  }

  /** Frames of a node were lost: answers to calls from here, or calls from there. */
  #lost(from: NodeRef): void {
    if (this.#deps.counts !== undefined) this.#deps.counts.lost += 1;
    this.#deps.log.warn({ node: from.name }, 'messages of another node were lost');
    for (const { meta } of this.#links.values()) meta.lost(from);
    this.askRoll(from);
    this.#lostCalls.lost(from);
  }

  /** A node has joined, or what it published may have been lost: it is asked who is there, where somebody here wants to know. */
  askRoll(node: NodeRef): void {
    for (const { attendance } of this.#links.values()) attendance.ask(node);
  }
}
