/**
 * The fronts of a router together. While one of them has much to read, the router reads from none: what their clients say would make more for
 * it. A front always reads, so that is over soon. One that reads nothing hangs: nobody waits for it, and it is ended when too much waits.
 */

/** The end of a link, as far as it is read and written. */
export interface ReadLink {
  /** How much has left for the front, in bytes. */
  readonly sentBytes: number;
  pause(): void;
  resume(): void;
}

/** A front that has read nothing for so long hangs, in milliseconds. */
const HANGS_MS = 500;

/** All fronts of a router. */
export class Congestion {
  readonly #links = new Set<ReadLink>();
  /** Those for which much waits, with how much had left for them at the last look. */
  readonly #slow = new Map<ReadLink, number>();
  #looks: NodeJS.Timeout | undefined;

  /** Whether nothing is read. */
  get isOn(): boolean {
    return this.#slow.size > 0;
  }

  add(link: ReadLink): void {
    this.#links.add(link);
    if (this.isOn) link.pause();
  }

  /** The front is gone. */
  delete(link: ReadLink): void {
    this.#links.delete(link);
    this.relieved(link);
  }

  /** Much waits for it. */
  slow(link: ReadLink): void {
    const wasOn = this.isOn;
    this.#slow.set(link, link.sentBytes);
    if (wasOn) return;
    for (const each of this.#links) each.pause();
    this.#looks = setInterval(() => this.#look(), HANGS_MS).unref();
  }

  /** Nothing waits for it any more. */
  relieved(link: ReadLink): void {
    if (!this.#slow.delete(link) || this.isOn) return;
    clearInterval(this.#looks);
    for (const each of this.#links) each.resume();
  }

  isSlow(link: ReadLink): boolean {
    return this.#slow.has(link);
  }

  #look(): void {
    for (const [link, before] of [...this.#slow]) {
      if (link.sentBytes > before) this.#slow.set(link, link.sentBytes);
      else this.relieved(link);
    }
  }
}
