/**
 * The listening sockets that the process was given when it was started, by their names (socket activation; sd_listen_fds(3)). Who starts
 * the process keeps them, too: while no node runs, connections wait in them, and a port below 1024 needs no privilege here.
 *
 * There is one set for the process, as there is one process: `node/systemd/activation.ts` takes it from the environment. Here is only
 * which of them has been given to a transport. It opens and closes nothing.
 */

/** What came, or what is wrong with it. */
export type Inherited =
  | { readonly sockets: readonly InheritedSocket[] }
  /** Why those that were meant for somebody are not ours; in words for the operator. */
  | { readonly fault: string };

/** One listening socket. */
export interface InheritedSocket {
  /** `FileDescriptorName` of the unit. */
  readonly name: string;
  /** The file descriptor. */
  readonly fd: number;
}

/** Sockets of a process that it did not open itself. */
export class InheritedSockets {
  #inherited: Inherited = { sockets: [] };
  readonly #taken = new Set<number>();

  /** They come once, before the first transport starts. */
  accept(inherited: Inherited): void {
    this.#inherited = inherited;
  }

  /** The names of those that no transport listens on: who connects there waits for ever. */
  get idle(): readonly string[] {
    if ('fault' in this.#inherited) return [];
    return this.#inherited.sockets.filter(({ fd }) => !this.#taken.has(fd)).map(({ name }) => name);
  }

  /**
   * Gives a socket to a transport.
   * @returns its file descriptor.
   * @throws Error in words for the operator, when there is not exactly one of this name, or another transport has it.
   */
  take(wanted: string): number {
    if ('fault' in this.#inherited) throw new Error(this.#inherited.fault);
    const { sockets } = this.#inherited;
    const [found, ...more] = sockets.filter(({ name }) => name === wanted);
    if (found === undefined) {
      const names = sockets.map(({ name }) => JSON.stringify(name)).join(', ');
      throw new Error(
        names === '' ? 'systemd has passed no sockets: start the .socket unit' : `there are only ${names}`,
      );
    }
    if (more.length > 0) throw new Error('several sockets have this name: a transport listens on one of them');
    if (this.#taken.has(found.fd)) throw new Error('another transport listens on it');
    this.#taken.add(found.fd);
    return found.fd;
  }
}

/** Those of this process. */
export const inheritedSockets = new InheritedSockets();
