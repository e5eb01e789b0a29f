/**
 * When a subscription is in force everywhere, and a registration known. The engine tells the servers of other nodes of it some time after it was made; but what it
 * tells comes there before any later message of this node. So every other node is asked, and when all have answered, what they publish
 * from now on comes here. A node of which nothing is heard is not waited for. One question at a time is on its way for all that wait: those that come meanwhile wait for the next one.
 *
 * The same question asks what `meta/standings.ts` wants to know of patterns that are new on this node.
 */
import { askWhileHeard } from './asking.js';
import { IDS_OF_QUESTION } from './meta/standings.js';
import { isSame } from './node-ref.js';
import type { AskingDeps } from './asking.js';
import type { Dict } from '../wamp/payload.js';
import type { Frame } from './frame.js';
import type { NodeRef } from './node-ref.js';
import type { Membership } from './membership.js';
import type { Beginning, Round, Standings } from './meta/standings.js';

/** The kind of the question, and that of the question about patterns that this node has left. */
export const BARRIER = 'barrier';
export const ENDING = 'ending';

export interface BarrierDeps extends AskingDeps {
  readonly membership: Pick<Membership, 'others' | 'isSuspect'>;
  /** Says it, once a minute, when the answer of a node is not waited for. */
  readonly unheard?: (node: NodeRef) => void;
  /** The revision of the directory that the others have to have seen as well; 0: none. */
  readonly revision: () => number;
  readonly standings: Pick<Standings, 'begin' | 'end' | 'leave' | 'release'>;
}

interface Passing {
  /** @param beginning of the pattern. */
  readonly done: (beginning?: Beginning) => void;
  /** The id of a pattern that is new on this node. */
  readonly id: number | undefined;
}

export class Barrier {
  readonly #deps: BarrierDeps;
  #waiting: Passing[] = [];
  #isUnderWay = false;
  #isEnding = false;
  #isOver = false;

  constructor(deps: BarrierDeps) {
    this.#deps = deps;
  }

  /**
   * @param done called when everything that this node has subscribed to is in force on all others that answer.
   * @param id of a pattern that is new on this node.
   */
  pass(done: Passing['done'], id?: number): void {
    if (this.#isOver) return;
    this.#waiting.push({ done, id });
    if (!this.#isUnderWay) this.#ask();
  }

  /** The last subscriber of a pattern on this node has gone. @param ended see `Standings.leave` */
  leave(id: number, ended: () => void): void {
    this.#deps.standings.leave(id, ended);
    if (this.#isEnding) return;
    this.#isEnding = true;
    // Whoever leaves may leave many.
    queueMicrotask(() => this.#askEnding());
  }

  /** This node has left the cluster: nobody is told of an end any more, and nobody waits for it. */
  end(): void {
    this.#isOver = true;
    this.#deps.standings.release();
  }

  #ask(): void {
    const passing = this.#waiting.slice(0, IDS_OF_QUESTION);
    this.#waiting = this.#waiting.slice(IDS_OF_QUESTION);
    this.#isUnderWay = true;
    const ids = passing.flatMap(({ id }) => id ?? []);
    const round = this.#deps.standings.begin(ids);
    void this.#askAll(BARRIER, { v: this.#deps.revision(), ...round.head }, round).then(() => {
      this.#isUnderWay = false;
      round.end((found) => {
        let index = 0;
        for (const { done, id } of passing) done(id === undefined ? undefined : found[index++]);
      });
      if (this.#waiting.length > 0 && !this.#underWay()) this.#ask();
    });
  }

  /** Whoever was let pass may have begun another one. */
  #underWay(): boolean {
    return this.#isUnderWay;
  }

  #askEnding(): void {
    const round = this.#isOver ? undefined : this.#deps.standings.end();
    if (round === undefined) return void (this.#isEnding = false);
    void this.#askAll(ENDING, round.head, round).then(() => {
      if (!this.#isOver) round.end(() => undefined);
      this.#askEnding();
    });
  }

  async #askAll(kind: string, head: Dict, round: Pick<Round<unknown>, 'heard'>): Promise<void> {
    await Promise.all(this.#deps.membership.others.map((node) => this.#askOne(node, kind, head, round)));
  }

  /** Resolves when a node has answered, or when nothing is heard of it any more: nobody waits for it then. */
  async #askOne(node: NodeRef, kind: string, head: Dict, round: Pick<Round<unknown>, 'heard'>): Promise<void> {
    const heard = (answer: Frame): void => round.heard(answer.head);
    const answer = await askWhileHeard(this.#deps, node, kind, head, heard);
    // Nobody misses the answer of one that has left.
    const { others } = this.#deps.membership;
    if (answer === undefined && others.some((other) => isSame(other, node))) this.#deps.unheard?.(node);
  }
}
