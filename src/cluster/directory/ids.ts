/** The ids of the registrations of all nodes: which of them are in use, so that none is given twice. */
import type { CalleeEntry } from './entry.js';

interface Use {
  readonly group: string;
  /** How many callees of the group have it. */
  count: number;
}

export class RegistrationIds {
  readonly #draw: () => number;
  // id -> who had it first, of those that have it
  readonly #uses = new Map<number, Use>();

  /** @param draw gives ids that no other node gives. It may give one that is in use. */
  constructor(draw: () => number) {
    this.#draw = draw;
  }

  /** How many are in use. */
  get size(): number {
    return this.#uses.size;
  }

  /** @returns one that is not in use. */
  next(): number {
    for (;;) {
      const id = this.#draw();
      if (!this.#uses.has(id)) return id;
    }
  }

  /** @returns whether a group may have an id: nobody has it, or the group has had it first. */
  isFor(group: string, id: number): boolean {
    return (this.#uses.get(id)?.group ?? group) === group;
  }

  /** Somebody became a callee. */
  add({ group, birth }: CalleeEntry): void {
    if (birth === undefined) return;
    const use = this.#uses.get(birth.id);
    if (use === undefined) this.#uses.set(birth.id, { group, count: 1 });
    else if (use.group === group) use.count += 1;
  }

  /** A callee has gone. */
  remove({ group, birth }: CalleeEntry): void {
    const use = birth && this.#uses.get(birth.id);
    if (use?.group === group && --use.count === 0) this.#uses.delete(birth?.id ?? 0);
  }
}
