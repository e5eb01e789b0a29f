/**
 * Finds out which calls were lost with frames between this node and another one: answers to calls from here, or calls from there. Whoever
 * misses something asks the other one which of the open calls it does not know, and lets it ask, too.
 */
import { askWhileThere } from '../asking.js';
import type { Scheduler } from '../../router/observer.js';
import type { RepeatedLog } from '../../log/repeated.js';
import type { Frame } from '../frame.js';
import type { NodeRef } from '../node-ref.js';
import type { Peers } from '../peers.js';
import type { CallId, RealmCalls } from './realm-calls.js';

/** "Which of these calls do you not know?", and "I have lost frames of yours, so ask me that". */
const UNKNOWN = 'unknown';
const LOST = 'lost';

/** Between two attempts to find out what was lost. */
const RETRY_MS = 250;

export interface LostCallsDeps {
  readonly peers: Pick<Peers, 'ask' | 'on'>;
  /** The realms of this node. */
  readonly links: ReadonlyMap<string, { readonly calls: Pick<RealmCalls, 'lost' | 'openAt' | 'unknownOf'> }>;
  /** Whether a node is there, and this one has not left. */
  readonly isThere: (node: NodeRef) => boolean;
  readonly scheduler: Pick<Scheduler, 'after'>;
  readonly repeated: Pick<RepeatedLog, 'say'>;
}

export class LostCalls {
  readonly #deps: LostCallsDeps;

  constructor(deps: LostCallsDeps) {
    this.#deps = deps;
    const { peers, links } = deps;
    peers.on(LOST, (from, _frame, answer) => {
      answer?.({});
      void this.#find(from);
    });
    peers.on(UNKNOWN, (from, { head }, answer) => {
      const calls = links.get(String(head['r']))?.calls;
      const asked = callsIn(head['l']);
      answer?.({ l: calls?.unknownOf(from, asked) ?? asked });
    });
  }

  /** Frames of a node were lost. */
  lost(from: NodeRef): void {
    void this.#find(from);
    void this.#until(from, () => this.#deps.peers.ask(from, LOST, {}));
  }

  /** Asks a node which of the calls to it it does not know: what it has answered came before its answer to this. */
  async #find(node: NodeRef): Promise<void> {
    const { peers, links } = this.#deps;
    for (const [realm, { calls }] of links) {
      const open = calls.openAt(node);
      if (open.length === 0) continue;
      const answer = await this.#until(node, () => peers.ask(node, UNKNOWN, { r: realm, l: open }));
      if (answer !== undefined) calls.lost(node, callsIn(answer.head['l']));
    }
  }

  /** Tries until a node has answered; undefined when it is gone first, or this one has left. */
  #until(node: NodeRef, ask: () => Promise<Frame>): Promise<Frame | undefined> {
    const { isThere, scheduler, repeated } = this.#deps;
    const failed = (error: unknown): void => {
      const facts = { err: error, node: node.name };
      repeated.say('warn', facts, 'another node gives no answer about lost calls, and is asked again');
    };
    return askWhileThere({ isThere, scheduler, retryMs: RETRY_MS, failed }, node, ask);
  }
}

function callsIn(list: unknown): readonly CallId[] {
  if (!Array.isArray(list)) return [];
  return (list as readonly unknown[]).filter((each): each is CallId => {
    return Array.isArray(each) && typeof each[0] === 'number' && typeof each[1] === 'number';
  });
}
