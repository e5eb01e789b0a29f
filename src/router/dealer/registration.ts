/**
 * One registration: the procedure or pattern, its callees in order of registration, and which of them is next (sections
 * "Shared Registration", "Call Rerouting"). Knows of a callee only how much room it has; sends nothing.
 */
import type { InvocationPolicy } from '../../wamp/message.js';
import type { RandomId } from '../../wamp/id.js';
import type { Match } from '../../wamp/uri.js';
import type { Callee, CallTarget, InFlight } from './call-state.js';
import type { RouterSession } from '../session.js';

export interface RegistrationOf {
  readonly id: number;
  readonly created: string;
  readonly uri: string;
  readonly match: Match;
  readonly invoke: InvocationPolicy;
}

export class Registration implements CallTarget {
  readonly id: number;
  created: string;
  readonly uri: string;
  readonly match: Match;
  readonly invoke: InvocationPolicy;
  readonly #members: Callee[] = [];
  /** Calls that wait until a callee has room, in order. */
  readonly queue = new Set<InFlight>();
  readonly forwarded = new Set<InFlight>();
  calls = 0;
  /** `roundrobin`: the index of the one whose turn it is; may be one past the end. */
  #turn = 0;

  constructor({ id, created, uri, match, invoke }: RegistrationOf) {
    this.id = id;
    this.created = created;
    this.uri = uri;
    this.match = match;
    this.invoke = invoke;
  }

  /** In order of their places. */
  get members(): readonly Callee[] {
    return this.#members;
  }

  get callees(): readonly RouterSession[] {
    return this.members.map(({ party }) => party.session);
  }

  get calleeCount(): number {
    return this.members.length;
  }

  get callsInFlight(): number {
    return this.members.reduce((sum, { running }) => sum + running, this.queue.size + this.forwarded.size);
  }

  add(callee: Callee): void {
    // Almost always the last one.
    const index = this.#members.findLastIndex(({ place }) => place <= callee.place) + 1;
    this.#members.splice(index, 0, callee);
    if (index < this.#turn) this.#turn++;
  }

  /** Another place; calls that it has stay with it. */
  move(callee: Callee, place: number): void {
    this.remove(callee);
    callee.place = place;
    this.add(callee);
  }

  remove(callee: Callee): void {
    const index = this.#members.indexOf(callee);
    if (index === -1) return;
    this.#members.splice(index, 1);
    if (index < this.#turn) this.#turn--;
  }

  /**
   * @param except callees that refused the call already.
   * @returns the callee with room that the policy wants, or undefined when none has room.
   */
  next(randomId: RandomId, except?: readonly Callee[]): Callee | undefined {
    const { members } = this;
    switch (this.invoke) {
      case 'single':
      case 'first':
        for (const callee of members) if (isFree(callee, except)) return callee;
        return undefined;
      case 'last':
        return members.findLast((callee) => isFree(callee, except));
      case 'roundrobin':
        return this.#nextInTurn(except);
      case 'random':
        return atRandom(members, randomId, except);
    }
  }

  #nextInTurn(except: readonly Callee[] | undefined): Callee | undefined {
    const { length } = this.members;
    for (let step = 0; step < length; step++) {
      const index = (this.#turn + step) % length;
      const callee = this.members[index];
      if (callee === undefined || !isFree(callee, except)) continue;
      this.#turn = index + 1;
      return callee;
    }
    return undefined;
  }
}

/** @param except callees that refused the call already. @returns whether a callee has room for a call. */
export function isFree(callee: Callee, except?: readonly Callee[]): boolean {
  return callee.running < callee.concurrency && except?.includes(callee) !== true;
}

/** Everyone with room is equally likely. */
function atRandom(
  members: readonly Callee[],
  randomId: RandomId,
  except: readonly Callee[] | undefined,
): Callee | undefined {
  const callee = members[randomId() % members.length];
  if (callee === undefined || isFree(callee, except)) return callee;
  const free = members.filter((other) => isFree(other, except));
  return free[randomId() % free.length];
}
