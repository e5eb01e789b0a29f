/** A door between a client and a server: a port that leads to another one, can be shut, and held: then nothing goes through, and nobody is told. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export class TcpGate {
  readonly port: number;
  readonly #target: number;
  #server: Server;
  readonly #sockets = new Set<Socket>();
  #isHeld = false;

  private constructor(target: number, server: Server, port: number) {
    this.#target = target;
    this.#server = server;
    this.port = port;
  }

  /** @param target a port of this machine. */
  static async open(target: number): Promise<TcpGate> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gate = new TcpGate(target, server, (server.address() as AddressInfo).port);
    server.on('connection', (socket) => gate.#join(socket));
    return gate;
  }

  /** Ends all connections, and refuses others. */
  async shut(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  /** Opens the same port again. */
  async reopen(): Promise<void> {
    this.#server = createServer((socket) => this.#join(socket));
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** From now on nothing goes through: what is sent waits, and connections are not answered. */
  hold(): void {
    this.#isHeld = true;
    for (const socket of this.#sockets) socket.unpipe();
    for (const socket of this.#sockets) socket.pause();
  }

  /** All connections that were held end, and others go through. */
  release(): void {
    this.#isHeld = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    if (this.#isHeld) {
      this.#sockets.add(client);
      client.on('error', () => undefined).once('close', () => this.#sockets.delete(client));
      client.pause();
      return;
    }
    const server = connect(this.#target, '127.0.0.1');
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.setNoDelay(true);
      socket.pipe(other);
    }
  }
}
