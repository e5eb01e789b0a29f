/** Binds a server; rejects with the error of the system. */
import type { ListenOptions, Server } from 'node:net';

export function bind(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
