/**
 * Which subscriptions begin and which end, in the whole cluster. Nobody keeps the subscriptions of all nodes: whoever has the first
 * subscriber of a pattern here asks the others in its barrier whether they have one, and whoever has lost its last one asks them, too. A
 * pattern is named by its id.
 *
 * Two nodes may ask at the same time. Each question has a stamp: a number that is larger than those of all questions that the node has
 * seen, and the key of the node. What a node answers:
 *
 *     it has subscribers                     "there are": nothing begins or ends
 *     it asks itself whether it begins       its stamp: of those that begin at the same time, the smallest begins. Nothing ends.
 *     it asks itself whether it ends         to one that begins: nothing, until it knows; then "there are", if it did not end
 *                                            to one that ends: its stamp, and the smallest tells; or nothing, when it has heard of
 *                                            subscribers, because then it does not tell
 *                                            Where it knows that another one decides, it says nothing to one that begins: it cannot
 *                                            say whether that one told of the end, which is asked, too
 *     it is about to ask whether it ends     to one that ends: nothing, and it does not ask any more: the other one tells
 *
 * Messages between two nodes keep their order. So whoever said "nothing" to a question and begins afterwards has a larger stamp, and finds
 * that the other one is still asking, or has subscribers. What is not told, because nobody is left who could: an end, when the last
 * node that had the pattern is gone; a beginning, when the one that was to tell it lost its subscriber before it was subscribed.
 */
import type { Dict } from '../../wamp/payload.js';

/** One of the answers above. @param value a stamp; of "there are", since when, in milliseconds since 1970, or 0 */
type Word = readonly [index: number, what: 'has' | 'begins' | 'ends', value: number];

/** A question under way. */
export interface Round<Result> {
  /** What the question says. */
  readonly head: Dict;
  /** Takes in the answer of a node. @param key of the node */
  heard(key: string, answer: Dict): void;
  /** All have answered that there are. */
  end(): Result;
}

/** What is known of a pattern with which this node begins. */
export interface Beginning {
  isFirst: boolean;
  /** When the first subscription was created that another node has; milliseconds since 1970. */
  sinceMs: number;
}

/** What is known of a pattern that this node has left. */
interface Ending {
  /** Undefined before it is asked. */
  stamp: number | undefined;
  /** The keys of other nodes that have subscribers, or begin. One that ends after it said so takes over: what it finds counts. */
  readonly others: Set<string>;
  /** Whether another node tells of the end, or finds that there is none: then this one does not tell. */
  isOthers: boolean;
  /** Whether it is known which: that one says so to whoever begins, and this one cannot say whether it ended. */
  isElsewhere: boolean;
  /** The keys of those that may tell, by their own word, and of those that were told that this one does not. */
  readonly rivals: Set<string>;
  readonly trusted: Set<string>;
  readonly ended: () => void;
  /** What waits until it is known. */
  readonly waiting: (() => void)[];
}

export interface StandingsDeps {
  /** The key of this node. */
  readonly selfKey: string;
  /** @returns when a subscription of this node was created, in milliseconds since 1970; undefined when it has no subscribers. */
  readonly sinceOf: (id: number) => number | undefined;
}

/** So many ids has one question: they are far below what every engine carries. */
export const IDS_OF_QUESTION = 20_000;

export class Standings {
  readonly #deps: StandingsDeps;
  #lastStamp = 0;
  // id -> the stamp of the question whether it begins
  readonly #beginning = new Map<number, number>();
  // id -> what is known of its end; those that are asked about, and those that will be
  readonly #ending = new Map<number, Ending>();

  constructor(deps: StandingsDeps) {
    this.#deps = deps;
  }

  /** How many patterns are asked about. */
  get size(): number {
    return this.#beginning.size + this.#ending.size;
  }

  /** This node asks about patterns of which it has the first subscribers. The result has the order of the ids. */
  begin(ids: readonly number[]): Round<readonly Beginning[]> {
    const stamp = ++this.#lastStamp;
    for (const id of ids) this.#beginning.set(id, stamp);
    const found: Beginning[] = ids.map(() => ({ isFirst: true, sinceMs: Infinity }));
    return {
      head: { t: stamp, w: ids },
      heard: (key, answer) => {
        for (const [index, what, value] of wordsIn(answer)) {
          const each = found[index];
          if (each === undefined) continue;
          if (what === 'has' && value > 0) each.sinceMs = Math.min(each.sinceMs, value);
          if (what === 'has' || this.#isBefore(value, key, stamp)) each.isFirst = false;
        }
      },
      end: () => {
        for (const id of ids) if (this.#beginning.get(id) === stamp) this.#beginning.delete(id);
        return found;
      },
    };
  }

  /** Another node begins. @param answer called once, when it is known what to say */
  othersBegin({ t: stamp, w: list }: Dict, answer: (head: Dict) => void): void {
    this.#see(stamp);
    const ids = idsIn(list);
    const staying = new Set<number>();
    let waits = 1;
    const goOn = (): void => {
      if (--waits === 0) answer({ h: ids.flatMap((id, index) => this.#wordsOf(id, index, staying)) });
    };
    for (const id of ids) {
      const ending = this.#ending.get(id);
      if (ending === undefined) continue;
      waits += 1;
      ending.waiting.push(() => {
        if (ending.others.size > 0 && !ending.isElsewhere) staying.add(id);
        goOn();
      });
    }
    goOn();
  }

  /** This node has lost its last subscriber of a pattern. @param ended called later, if it is for this node to tell */
  leave(id: number, ended: () => void): void {
    this.#ending.set(id, {
      ...{ stamp: undefined, others: new Set(), isOthers: false, ended, waiting: [] },
      ...{ isElsewhere: false, rivals: new Set(), trusted: new Set() },
    });
  }

  /** Calls back when it is known whether a pattern has ended: at once where nobody asks. */
  whenKnown(id: number, callback: () => void): void {
    const ending = this.#ending.get(id);
    if (ending === undefined) callback();
    else ending.waiting.push(callback);
  }

  /** This node asks about what it has left, so many at a time. @returns undefined when there is nothing to ask. */
  end(): Round<void> | undefined {
    const asked = [...this.#ending].filter(([, { stamp }]) => stamp === undefined).slice(0, IDS_OF_QUESTION);
    if (asked.length === 0) return undefined;
    const stamp = ++this.#lastStamp;
    for (const [, ending] of asked) ending.stamp = stamp;
    return {
      head: { t: stamp, w: asked.map(([id]) => id) },
      heard: (key, answer) => {
        for (const [index, what, value] of wordsIn(answer)) {
          const ending = asked[index]?.[1];
          if (ending === undefined) continue;
          if (what === 'ends') this.#meet(ending, key, this.#isBefore(value, key, stamp));
          else ending.others.add(key);
        }
      },
      end: () => {
        for (const [id, ending] of asked) this.#known(id, ending);
      },
    };
  }

  /** Another node has lost its last subscribers. @param key of the node. @returns what to say. */
  othersEnd(key: string, { t: stamp, w: list }: Dict): Dict {
    this.#see(stamp);
    return { h: idsIn(list).flatMap((id, index) => this.#wordsToEnding(id, index, key)) };
  }

  #known(id: number, ending: Ending): void {
    this.#ending.delete(id);
    if (ending.others.size === 0 && !ending.isOthers) ending.ended();
    for (const callback of ending.waiting) callback();
  }

  #wordsOf(id: number, index: number, staying: ReadonlySet<number>): Word[] {
    const sinceMs = this.#deps.sinceOf(id);
    if (sinceMs !== undefined || staying.has(id)) return [[index, 'has', sinceMs ?? 0]];
    const stamp = this.#beginning.get(id);
    return stamp === undefined ? [] : [[index, 'begins', stamp]];
  }

  #wordsToEnding(id: number, index: number, key: string): Word[] {
    const ending = this.#ending.get(id);
    if (ending === undefined) return this.#wordsOf(id, index, NONE);
    const { stamp, others, isOthers } = ending;
    if (stamp !== undefined && others.size === 0 && !isOthers) return [[index, 'ends', stamp]];
    ending.isOthers = true;
    others.delete(key);
    ending.trusted.add(key);
    ending.isElsewhere ||= ending.rivals.has(key);
    if (stamp !== undefined) return [];
    // It is not asked about any more, whatever waits for it.
    this.#known(id, ending);
    return [];
  }

  /** Another node asks about the same end, and tells unless it hears of subscribers, or of one that counts before it. */
  #meet(ending: Ending, key: string, isBefore: boolean): void {
    ending.rivals.add(key);
    ending.isOthers ||= isBefore;
    ending.isElsewhere ||= isBefore || ending.trusted.has(key);
  }

  #see(stamp: unknown): void {
    if (typeof stamp === 'number') this.#lastStamp = Math.max(this.#lastStamp, stamp);
  }

  /** @returns whether the question of another node counts before one of this node. */
  #isBefore(stamp: number, key: string, own: number): boolean {
    return stamp === own ? key < this.#deps.selfKey : stamp < own;
  }
}

const NONE: ReadonlySet<number> = new Set();

function idsIn(list: unknown): readonly number[] {
  return Array.isArray(list) ? (list as readonly number[]) : [];
}

function wordsIn({ h: list }: Dict): readonly Word[] {
  return Array.isArray(list) ? (list as readonly Word[]) : [];
}
