/**
 * What waits in the whole process for peers that do not read. Each connection has a limit of its own (`outbox.ts`), but many
 * of them together would still fill the memory: here it is summed up, and beyond a limit those with the most bytes waiting are
 * given up, the greatest first.
 *
 * It counts memory, not what is written: one piece that waits for a thousand sockets is counted once. It has no timer and is
 * told nothing when a socket goes on: an account is settled when its socket is written to again, and all of them before
 * anybody is given up. Sockets that take what they are sent have no account. It knows no sockets.
 */

/** Whose bytes wait. */
export interface Debtor {
  /** All that waits to be sent. */
  readonly unsentBytes: number;
  /** Of these, what exists for it alone though it is not in the account: what was compressed for it. */
  readonly compressedBytes: number;
  /** Too much waits in the whole process: the peer has to be given up. */
  giveUpForAll(limitBytes: number): void;
}

/** What every piece that waits takes besides its bytes: the objects around it. */
export const PIECE_OVERHEAD_BYTES = 256;

/** After a cut there is room for this part of the limit, or the next piece would make the next cut. */
const ROOM_SHARE = 8;

const DEFAULT_LIMIT_BYTES = 256 * 1024 * 1024;

/** Memory that several may wait for. */
interface Shared {
  readonly bytes: number;
  debtors: number;
}

interface Entry {
  /** How many bytes had been written to the socket behind this piece. */
  readonly end: number;
  readonly ownBytes: number;
  readonly shared: Shared | undefined;
}

export class UnsentMemory {
  limitBytes = DEFAULT_LIMIT_BYTES;
  #bytes = 0;
  readonly #arrears = new Set<Arrears>();
  readonly #shared = new WeakMap<Buffer, Shared>();
  readonly #defer: (callback: () => void) => void;
  #isDue = false;

  /** @param defer runs something when the messages of now have been worked off. */
  constructor(defer: (callback: () => void) => void) {
    this.#defer = defer;
  }

  /** How many bytes wait, as far as it is known. */
  get bytes(): number {
    return this.#bytes;
  }

  /** An account for somebody for whom something waits from now on. */
  open(debtor: Debtor): Arrears {
    const arrears = new Arrears(this, debtor);
    this.#arrears.add(arrears);
    return arrears;
  }

  close(arrears: Arrears): void {
    this.#arrears.delete(arrears);
  }

  sharedBy(piece: Buffer): Shared {
    let shared = this.#shared.get(piece);
    if (shared === undefined) this.#shared.set(piece, (shared = { bytes: piece.length, debtors: 0 }));
    return shared;
  }

  change(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.limitBytes || this.#isDue) return;
    this.#isDue = true;
    // Not at once: whoever writes is in the middle of it.
    this.#defer(() => this.#enforce());
  }

  #enforce(): void {
    this.#isDue = false;
    for (const arrears of this.#arrears) arrears.settle();
    if (this.#bytes <= this.limitBytes) return;
    const enough = this.limitBytes - this.limitBytes / ROOM_SHARE;
    const bySize = [...this.#arrears].sort((one, other) => other.debtor.unsentBytes - one.debtor.unsentBytes);
    for (const arrears of bySize) {
      if (this.#bytes <= enough) return;
      arrears.end();
      arrears.debtor.giveUpForAll(this.limitBytes);
    }
  }
}

/** The account of one socket: what was written to it and has not left. */
export class Arrears {
  readonly debtor: Debtor;
  readonly #memory: UnsentMemory;
  /** In the order of writing; those before `#from` have left. */
  #entries: Entry[] = [];
  #from = 0;
  #written = 0;
  #compressed = 0;

  constructor(memory: UnsentMemory, debtor: Debtor) {
    this.#memory = memory;
    this.debtor = debtor;
  }

  /** What waits besides the bytes themselves. */
  get overheadBytes(): number {
    return (this.#entries.length - this.#from) * PIECE_OVERHEAD_BYTES;
  }

  /**
   * Something was written that has to wait, at least its end.
   * @param bytes how much that was in all.
   * @param memory what others may be waiting for, too; undefined when it exists for this one only.
   */
  add(bytes: number, memory: Buffer | undefined): void {
    const shared = memory === undefined ? undefined : this.#memory.sharedBy(memory);
    this.#written += bytes;
    const ownBytes = PIECE_OVERHEAD_BYTES + bytes - (shared?.bytes ?? 0);
    this.#entries.push({ end: this.#written, ownBytes, shared });
    this.#memory.change(ownBytes + (shared !== undefined && shared.debtors++ === 0 ? shared.bytes : 0));
  }

  /** Lets go of what has left. */
  settle(): void {
    const left = this.#written - this.debtor.unsentBytes;
    for (let entry = this.#entries[this.#from]; entry !== undefined && entry.end <= left;) {
      this.#letGo(entry);
      entry = this.#entries[++this.#from];
    }
    if (this.#from * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#from);
      this.#from = 0;
    }
    this.#setCompressed(this.debtor.compressedBytes);
  }

  /** Nothing waits any more, or nobody. Idempotent. */
  end(): void {
    for (const entry of this.#entries.slice(this.#from)) this.#letGo(entry);
    this.#entries = [];
    this.#from = 0;
    this.#setCompressed(0);
    this.#memory.close(this);
  }

  #setCompressed(bytes: number): void {
    const change = bytes - this.#compressed;
    this.#compressed = bytes;
    if (change !== 0) this.#memory.change(change);
  }

  #letGo({ ownBytes, shared }: Entry): void {
    this.#memory.change(-ownBytes - (shared !== undefined && --shared.debtors === 0 ? shared.bytes : 0));
  }
}

/** One for the process, because there is one memory. */
export const unsentMemory = new UnsentMemory((callback) => void setImmediate(callback));
