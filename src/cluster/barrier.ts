/**
 * When a subscription is in force everywhere, and a registration known. The engine tells the servers of other nodes of it some time after it was made; but what it
 * tells comes there before any later message of this node. So every other node is asked, and when all have answered, what they publish
 * from now on comes here. A node of which nothing is heard is not waited for. One question at a time is on its way for all that wait: those that come meanwhile wait for the next one.
 */
import type { Dict } from '../wamp/payload.js';
import type { NodeRef } from './node-ref.js';
import type { Scheduler } from '../router/observer.js';
import type { Membership } from './membership.js';
import type { Peers } from './peers.js';

/** The kind of the question. */
export const BARRIER = 'barrier';

export interface BarrierDeps {
  readonly peers: Pick<Peers, 'ask'>;
  readonly membership: Pick<Membership, 'others' | 'isSuspect'>;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Says it, once a minute, when the answer of a node is not waited for. */
  readonly unheard?: (node: NodeRef) => void;
  /** The revision of the directory that the others have to have seen as well; 0: none. */
  readonly revision: () => number;
}

/** Between two questions to a node that gave no answer. */
const RETRY_MS = 100;

export class Barrier {
  readonly #deps: BarrierDeps;
  #waiting: (() => void)[] = [];
  #isUnderWay = false;

  constructor(deps: BarrierDeps) {
    this.#deps = deps;
  }

  /** @param done called when everything that this node has subscribed to is in force on all others that answer. */
  pass(done: () => void): void {
    this.#waiting.push(done);
    if (!this.#isUnderWay) this.#ask();
  }

  #ask(): void {
    const passing = this.#waiting;
    this.#waiting = [];
    this.#isUnderWay = true;
    const asked = this.#deps.membership.others.map((node) => this.#askOne(node));
    void Promise.all(asked).then(() => {
      this.#isUnderWay = false;
      for (const done of passing) done();
      if (this.#waiting.length > 0 && !this.#underWay()) this.#ask();
    });
  }

  /** Whoever was let pass may have begun another one. */
  #underWay(): boolean {
    return this.#isUnderWay;
  }

  /** Resolves when a node has answered, or when nothing is heard of it any more: nobody waits for it then. */
  async #askOne(node: NodeRef): Promise<void> {
    const { peers, membership, scheduler, unheard } = this.#deps;
    const head: Dict = { v: this.#deps.revision() };
    while (!membership.isSuspect(node)) {
      try {
        await peers.ask(node, BARRIER, head);
        return;
      } catch {
        if (membership.isSuspect(node)) break;
        // It may be the link of this node that is down.
        await new Promise<void>((resolve) => scheduler.after(RETRY_MS, resolve));
      }
    }
    unheard?.(node);
  }
}
