/**
 * Which subscriptions begin and which end, in the whole cluster. Nobody keeps the subscriptions of all nodes: whoever has the first
 * subscriber of a pattern here asks the others in its barrier whether they have one, and whoever has lost its last one asks them, too:
 *
 *     none of them has it     it begins, or ends, in the whole cluster: this node tells
 *     one of them has it      there is nothing to tell
 *
 * Two nodes may ask at the same time, so they take turns (the algorithm of Ricart and Agrawala for mutual exclusion). Each question has a
 * stamp: a number that is larger than those of all questions that the node has seen, and the key of the node. The smaller one is first:
 * a node that asks about the same pattern with a smaller stamp answers when it is done, and says what it has then. With a larger one it
 * answers at once, as if it did not ask: what it begins it does not have yet, what it ends it still has. So whoever has all answers
 * knows how it stands after all turns before its own, and nobody waits for a turn behind its own.
 *
 * A pattern is named by its id. Nobody waits for a node of which nothing is heard. What is not told, because nobody is left who could: an
 * end, when the last node that had the pattern is gone.
 */
import type { Dict } from '../../wamp/payload.js';

/** A pattern that a node has. @param sinceMs when the subscription was created, in milliseconds since 1970; 0: not known any more */
type Word = readonly [index: number, what: 'has', sinceMs: number];

/** A question under way. */
export interface Round<Result> {
  /** What the question says. */
  readonly head: Dict;
  /** Takes in the answer of a node. */
  heard(answer: Dict): void;
  /** All have answered that there are. @param take acts upon the result: those who waited for this turn are answered after that */
  end(take: (result: Result) => void): void;
}

/** What is known of a pattern with which this node begins. */
export interface Beginning {
  isFirst: boolean;
  /** When the first subscription was created that another node has; milliseconds since 1970. */
  sinceMs: number;
}

/** This node asks about a pattern, or is about to. */
interface Turn {
  /** Undefined before it asks. */
  stamp: number | undefined;
  /** What waits until it is over. */
  readonly waiting: (() => void)[];
}

interface Ending extends Turn {
  isLast: boolean;
  readonly ended: () => void;
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
  // id -> the question whether it begins, which is asked already
  readonly #beginning = new Map<number, Turn>();
  // id -> the question whether it ends
  readonly #ending = new Map<number, Ending>();

  constructor(deps: StandingsDeps) {
    this.#deps = deps;
  }

  /** How many patterns are asked about. */
  get size(): number {
    return this.#beginning.size + this.#ending.size;
  }

  /** This node asks about patterns of which it has the first subscribers: one question at a time. The result has the order of the ids. */
  begin(ids: readonly number[]): Round<readonly Beginning[]> {
    const stamp = ++this.#lastStamp;
    const turns = ids.map((): Turn => ({ stamp, waiting: [] }));
    for (const [index, turn] of turns.entries()) this.#beginning.set(ids[index] ?? 0, turn);
    const found: Beginning[] = ids.map(() => ({ isFirst: true, sinceMs: Infinity }));
    return {
      head: { t: stamp, w: ids },
      heard: (answer) => {
        for (const [index, , sinceMs] of wordsIn(answer)) {
          const each = found[index];
          if (each === undefined) continue;
          each.isFirst = false;
          if (sinceMs > 0) each.sinceMs = Math.min(each.sinceMs, sinceMs);
        }
      },
      end: (take) => {
        for (const id of ids) this.#beginning.delete(id);
        take(found);
        for (const { waiting } of turns) for (const callback of waiting) callback();
      },
    };
  }

  /** This node has lost its last subscriber of a pattern. @param ended called later, if it is for this node to tell */
  leave(id: number, ended: () => void): void {
    this.#ending.set(id, { stamp: undefined, waiting: [], isLast: true, ended });
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
      heard: (answer) => {
        for (const [index] of wordsIn(answer)) {
          const ending = asked[index]?.[1];
          if (ending !== undefined) ending.isLast = false;
        }
      },
      end: (take) => {
        for (const [id] of asked) this.#ending.delete(id);
        for (const [, { isLast, ended }] of asked) if (isLast) ended();
        take();
        for (const [, { waiting }] of asked) for (const callback of waiting) callback();
      },
    };
  }

  /** Another node begins with patterns, or ends them. @param key of the node. @param answer called once, when it is its turn */
  asked(key: string, { t: stamp, w: list }: Dict, answer: (head: Dict) => void): void {
    if (typeof stamp === 'number') this.#lastStamp = Math.max(this.#lastStamp, stamp);
    const ids = idsIn(list);
    let waits = 1;
    const goOn = (): void => {
      if (--waits === 0) answer({ h: ids.flatMap((id, index) => this.#wordsOf(id, index)) });
    };
    for (const id of ids) {
      for (const turn of [this.#beginning.get(id), this.#ending.get(id)]) {
        if (turn === undefined || !this.#isBefore(turn, Number(stamp), key)) continue;
        waits += 1;
        turn.waiting.push(goOn);
      }
    }
    goOn();
  }

  /** This node has left the cluster: nobody waits for its turns. */
  release(): void {
    const turns = [...this.#beginning.values(), ...this.#ending.values()];
    this.#beginning.clear();
    this.#ending.clear();
    for (const { waiting } of turns) for (const callback of waiting.splice(0)) callback();
  }

  #wordsOf(id: number, index: number): Word[] {
    const sinceMs = this.#deps.sinceOf(id);
    return sinceMs !== undefined || this.#ending.has(id) ? [[index, 'has', sinceMs ?? 0]] : [];
  }

  /** @returns whether a turn of this node is before the one of another. */
  #isBefore({ stamp: own }: Turn, stamp: number, key: string): boolean {
    if (own === undefined) return false;
    return own === stamp ? this.#deps.selfKey < key : own < stamp;
  }
}

function idsIn(list: unknown): readonly number[] {
  return Array.isArray(list) ? (list as readonly number[]) : [];
}

function wordsIn({ h: list }: Dict): readonly Word[] {
  return Array.isArray(list) ? (list as readonly Word[]) : [];
}
