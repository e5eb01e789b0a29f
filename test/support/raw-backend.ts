/** A server that is told byte by byte what it says, for what no HTTP server would do. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** One connection to it, with all that came. */
export class RawConnection {
  readonly socket: Socket;
  text = '';
  isEnded = false;
  isClosed = false;
  readonly #waiting = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => {
      for (const resolve of [...this.#waiting]) resolve();
    };
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      wake();
    });
    socket.on('end', () => {
      this.isEnded = true;
      wake();
    });
    socket.on('close', () => {
      this.isClosed = true;
      wake();
    });
  }

  /** Waits for something, as often as anything comes. */
  async until(isThere: (connection: this) => boolean): Promise<this> {
    while (!isThere(this)) {
      if (this.isClosed) throw new Error(`closed after ${JSON.stringify(this.text.slice(0, 300))}`);
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiting.delete(done);
          resolve();
        };
        this.#waiting.add(done);
      });
    }
    return this;
  }

  /** Waits until the other end has ended it, or cut it. */
  async gone(): Promise<void> {
    if (!this.isClosed) await this.until(({ isEnded, isClosed }) => isEnded || isClosed);
  }

  /** Waits for the end of the connection. */
  async closed(): Promise<void> {
    if (!this.isClosed) await once(this.socket, 'close');
  }

  /** Waits for so many whole heads. */
  heads(count = 1): Promise<this> {
    return this.until(({ text }) => text.split('\r\n\r\n').length > count);
  }
}

/** It listens on a free port. */
export class RawBackend {
  readonly connections: RawConnection[] = [];
  readonly #server: Server;
  readonly #waiting = new Set<() => void>();

  /** @param act is called with each connection. */
  constructor(act: (connection: RawConnection, index: number) => void = () => undefined) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new RawConnection(socket);
      this.connections.push(connection);
      act(connection, this.connections.length - 1);
      for (const resolve of [...this.#waiting]) resolve();
      this.#waiting.clear();
    });
  }

  async listen(at: number | string = 0): Promise<number> {
    this.#server.listen(at === 0 ? { port: 0, host: '127.0.0.1' } : at);
    await once(this.#server, 'listening');
    const address = this.#server.address() as AddressInfo | string;
    return typeof address === 'string' ? 0 : address.port;
  }

  /** The connection of this number, also before it is there. */
  async connection(index = 0): Promise<RawConnection> {
    for (;;) {
      const found = this.connections[index];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
