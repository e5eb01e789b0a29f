/** Where the fronts of a worker come to: a socket file in a directory that nobody else can look into. */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** Takes links. */
export class LinkListener {
  readonly #server: Server;

  /** @param onLink takes a socket. */
  constructor(onLink: (socket: Socket) => void) {
    this.#server = createServer(onLink);
  }

  /** @throws the error of the system (rejects). */
  async start(file: string): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(file, resolve));
  }

  /** Takes no more links; those that are there stay. */
  end(): void {
    this.#server.close();
  }
}
