/**
 * The lives of this node as a member of its cluster. When one ends because the node may not serve any more, the realms cut their
 * clients, and the node joins again, as often as it takes.
 */
import { ClusterMember } from './member.js';
import { ClusteredRealm } from './clustered-realm.js';
import { EngineError } from '../engine/engine.js';
import { createRandomId } from '../system/random.js';
import type { CallRealm } from './calls/realm-calls.js';
import type { MemberDeps } from './member.js';
import type { NodeRef } from './node-ref.js';

/** What becomes known. None of it may throw. */
export interface LivesListener {
  /** The node may not serve any more. */
  fenced(why: string): void;
  /** It could not join again, and goes on to try. Called once for each end of a life. */
  stillAway(error: unknown): void;
  /** It has joined again, and serves. */
  joinedAgain(self: NodeRef): void;
}

export interface LivesDeps extends Omit<MemberDeps, 'fenced'> {
  readonly listener: LivesListener;
}

/** Between two attempts to join again. */
const RETRY_MS = 500;

interface Life {
  readonly member: ClusterMember;
  /** Why it is over. */
  over?: string;
}

/** This node in its cluster, from the first time that it joins to the end. Give {@link ClusterLives.uplinkOf} to its routers. */
export class ClusterLives {
  readonly #deps: LivesDeps;
  readonly #randomId = createRandomId();
  // realm -> its side that faces the cluster
  readonly #realms = new Map<string, ClusteredRealm>();
  /** The present one; undefined while the node may not serve. */
  #life: Life | undefined;
  /** Whether all realms of the node serve. */
  #isServing = true;
  #hasLeft = false;
  #wake: () => void = () => undefined;
  #isRejoining = false;
  /** Resolves when the node has joined again, or has given that up. */
  #rejoining: Promise<void> = Promise.resolve();

  private constructor(deps: LivesDeps) {
    this.#deps = deps;
  }

  /** Joins for the first time. Rejects with EngineError: `refused` when there is another node of the same name. */
  static async join(deps: LivesDeps): Promise<ClusterLives> {
    const lives = new ClusterLives(deps);
    lives.#begin(await lives.#join());
    deps.engine.onLink((isUp) => {
      if (isUp) lives.#life?.member.askAnew();
    });
    return lives;
  }

  /** The present life; undefined while the node may not serve. */
  get member(): ClusterMember | undefined {
    return this.#life?.member;
  }

  /** This node in its present life; undefined while it may not serve. */
  get self(): NodeRef | undefined {
    return this.#life?.member.self;
  }

  /** The other nodes, as far as they are known. */
  get others(): readonly NodeRef[] {
    return this.#life?.member.others ?? [];
  }

  /** Whether the node serves its realms, all of them. */
  get isServing(): boolean {
    return this.#life?.member.mayServe() === true && this.#isServing;
  }

  /** @returns an id for a session, which no other node gives. While the node may not serve nobody joins but parts of the node. */
  newSessionId(): number {
    return this.#life?.member.newSessionId() ?? this.#randomId();
  }

  /** @returns the uplink of a realm that is about to be made: {@link ClusterLives.begin} follows. */
  uplinkOf(realm: string): ClusteredRealm {
    const made = new ClusteredRealm(realm, this.#deps.scheduler);
    this.#realms.set(realm, made);
    return made;
  }

  /** The realm is there. */
  begin(realm: CallRealm): void {
    this.#realms.get(realm.name)?.begin(realm, this.#life?.member);
  }

  /** The realm is gone. */
  end(realm: string): void {
    const known = this.#realms.get(realm);
    if (known === undefined) return;
    this.#realms.delete(realm);
    known.end();
    this.#life?.member.unlink(realm);
  }

  /** Leaves the cluster, when the sessions have gone. Idempotent; never rejects. */
  async leave(): Promise<void> {
    this.#hasLeft = true;
    this.#wake();
    await this.#life?.member.leave();
    if (this.#isRejoining) await this.#rejoinEnds();
  }

  async #join(): Promise<Life> {
    const life: { member?: ClusterMember; over?: string } = {};
    const member = await ClusterMember.join({
      ...this.#deps,
      fenced: (why) => {
        life.over = why;
        this.#ended(life);
      },
    });
    if (life.over !== undefined) throw new EngineError('unavailable', life.over);
    return Object.assign(life, { member });
  }

  #begin(life: Life): void {
    this.#life = life;
    // It may be over between two turns of the event loop.
    if (life.over !== undefined) this.#ended(life);
  }

  #ended(life: Partial<Life>): void {
    if (this.#life !== life) return;
    this.#life = undefined;
    this.#isServing = false;
    if (this.#hasLeft) return;
    this.#deps.listener.fenced(life.over ?? '');
    for (const realm of [...this.#realms.values()]) realm.lose();
    if (!this.#isRejoining) this.#rejoining = this.#rejoin();
  }

  /** Never rejects. */
  async #rejoin(): Promise<void> {
    this.#isRejoining = true;
    for (let attempt = 1; !this.#hasLeft; attempt += 1) {
      try {
        const life = await this.#join();
        if (this.#isLeaving()) return await life.member.leave();
        this.#begin(life);
        if (await this.#regain(life)) return;
        // Fenced again, and told so.
        attempt = 0;
      } catch (error) {
        if (attempt === 1) this.#deps.listener.stillAway(error);
      }
      if (!this.#isLeaving()) await this.#pause();
    }
  }

  /** Asked after each wait. */
  #isLeaving(): boolean {
    return this.#hasLeft;
  }

  /** @returns false when this life is over, too. */
  async #regain(life: Life): Promise<boolean> {
    const { member } = life;
    if (this.#life !== life) return false;
    await Promise.all([...this.#realms.values()].map((realm) => realm.regain(member)));
    if (this.#life !== life) return false;
    this.#isServing = true;
    this.#isRejoining = false;
    // Some of those who stayed may have been told to be gone.
    member.askAnew();
    if (!this.#hasLeft) this.#deps.listener.joinedAgain(member.self);
    return true;
  }

  /** A life that is about to begin ends at once. When that takes long the others find out by themselves that it is over. */
  async #rejoinEnds(): Promise<void> {
    const { scheduler, timings } = this.#deps;
    for (const realm of this.#realms.values()) realm.lose();
    await new Promise<void>((resolve) => {
      const stop = scheduler.after(timings.removeMs, resolve);
      void this.#rejoining.then(() => {
        stop();
        resolve();
      });
    });
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = this.#deps.scheduler.after(RETRY_MS, resolve);
      this.#wake = () => {
        stop();
        resolve();
      };
    });
  }
}
