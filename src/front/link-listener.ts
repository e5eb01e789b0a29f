/** Where the fronts of a worker come to: a socket file in a directory that nobody else can look into. */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Logger } from '../log/logger.js';

/** Takes links. */
export class LinkListener {
  readonly #server: Server;
  readonly #log: Logger;

  /** @param onLink takes a socket. */
  constructor(onLink: (socket: Socket) => void, log: Logger) {
    this.#server = createServer(onLink);
    this.#log = log;
  }

  /** @throws the error of the system (rejects). */
  async start(file: string): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(file, resolve));
    // Such as too many open files. The front tries again, or is started again.
    this.#server
      .removeAllListeners('error')
      .on('error', (err) => this.#log.error({ err }, 'a front could not connect'));
  }

  /** Takes no more links; those that are there stay. */
  end(): void {
    this.#server.close();
  }
}
