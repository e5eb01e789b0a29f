/** Binds a server; rejects with the error of the system. */
import type { ListenOptions, Server } from 'node:net';

/** A socket that listens already, by its descriptor; the types of Node.js do not have it. */
export interface ListeningSocket {
  readonly fd: number;
  readonly backlog: number;
}

/** Resolves when connections come. */
export function bind(server: Server, options: ListenOptions | ListeningSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
