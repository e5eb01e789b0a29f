/**
 * How much of the room for unfinished uploads is taken, in all and by each address: whoever only begins uploads must not take the room
 * of the others. It knows no files. Pure.
 */

/** So much may be kept. */
export interface Room {
  readonly uploads: number;
  readonly diskBytes: number;
}

interface Taken {
  uploads: number;
  diskBytes: number;
}

/** What bounds something. */
export type Bound = 'all' | 'address';

/** Sums up what is taken. */
export class Accounts {
  readonly #all: Room;
  readonly #each: Room;
  readonly #taken: Taken = { uploads: 0, diskBytes: 0 };
  /** address -> its part; those that have nothing are not in it */
  readonly #byAddress = new Map<string, Taken>();

  /** @param each for each address. */
  constructor(all: Room, each: Room) {
    this.#all = all;
    this.#each = each;
  }

  get taken(): Room {
    return { ...this.#taken };
  }

  /** How many addresses have something. */
  get addresses(): number {
    return this.#byAddress.size;
  }

  /**
   * @param address undefined where none is known: then only the bound of all holds.
   * @returns which bound does not let so much more in; undefined when both do.
   */
  boundOf(address: string | undefined, more: Partial<Room>): Bound | undefined {
    if (exceeds(this.#taken, more, this.#all)) return 'all';
    const own = address === undefined ? undefined : (this.#byAddress.get(address) ?? { uploads: 0, diskBytes: 0 });
    return own !== undefined && exceeds(own, more, this.#each) ? 'address' : undefined;
  }

  /** Takes more, or gives back what is negative; whatever the bounds say. */
  add(address: string | undefined, { uploads = 0, diskBytes = 0 }: Partial<Room>): void {
    this.#taken.uploads += uploads;
    this.#taken.diskBytes += diskBytes;
    this.#addTo(address, uploads, diskBytes);
  }

  /** What was nobody's belongs to an address from now on. */
  assign(address: string, { uploads, diskBytes }: Room): void {
    this.#addTo(address, uploads, diskBytes);
  }

  #addTo(address: string | undefined, uploads: number, diskBytes: number): void {
    if (address === undefined) return;
    const own = this.#byAddress.get(address) ?? { uploads: 0, diskBytes: 0 };
    own.uploads += uploads;
    own.diskBytes += diskBytes;
    if (own.uploads === 0 && own.diskBytes === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, own);
  }
}

function exceeds(taken: Room, { uploads = 0, diskBytes = 0 }: Partial<Room>, room: Room): boolean {
  return taken.uploads + uploads > room.uploads || taken.diskBytes + diskBytes > room.diskBytes;
}
