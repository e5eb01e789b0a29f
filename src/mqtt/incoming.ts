/**
 * Which PUBLISH of QoS 2 of one client were published (MQTT 3.1.1, section 4.3.3): it may send one again until it has PUBREC, and it is
 * published once. The packet id is remembered until PUBREL. It outlives connections.
 */

const IDS = 65_536;

export class Incoming {
  /** A bit for each packet id. Made for the first PUBLISH of QoS 2: the memory is the same whatever a client sends. */
  #bits: Uint8Array | undefined;

  /** How many bits are set. */
  #open = 0;

  /** How much memory it takes, in bytes. */
  get bytes(): number {
    return this.#bits?.length ?? 0;
  }

  /** Nothing comes for some time: what remembers nothing is let go of. */
  rest(): void {
    if (this.#open === 0) this.#bits = undefined;
  }

  /** @returns whether a PUBLISH of QoS 2 is new: it is to be published. */
  begins(id: number): boolean {
    this.#bits ??= new Uint8Array(IDS / 8);
    const [at, bit] = placeOf(id);
    const isNew = ((this.#bits[at] ?? 0) & bit) === 0;
    if (!isNew) return false;
    this.#bits[at] = (this.#bits[at] ?? 0) | bit;
    this.#open += 1;
    return true;
  }

  /** PUBREL: the id is free. One that is not known is answered all the same. */
  ends(id: number): void {
    const [at, bit] = placeOf(id);
    const octet = this.#bits?.[at] ?? 0;
    if (this.#bits === undefined || (octet & bit) === 0) return;
    this.#bits[at] = octet & ~bit;
    this.#open -= 1;
  }
}

function placeOf(id: number): readonly [at: number, bit: number] {
  return [id >> 3, 1 << (id & 7)];
}
