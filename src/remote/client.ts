/**
 * A WAMP client over the network: opens the transport, joins a realm, and has the same session as code inside a node.
 *
 *     connect -> HELLO (CHALLENGE, AUTHENTICATE) -> WELCOME -> messages -> GOODBYE, or the connection is gone
 */
import { InProcessSession } from '../client/session.js';
import type { Logger } from '../log/logger.js';
import type { ClientMessage } from '../wamp/message.js';
import { ProtocolViolation } from '../wamp/error.js';
import type { ClientAuthConfig } from './auth-schema.js';
import type { ConnectionReceiver, RouterConnection } from './connection.js';
import { loginWith } from './proofs.js';
import type { Login } from './proofs.js';
import { openRawSocket } from './rawsocket.js';
import { parseRouterMessage } from './router-message.js';
import type { ClientTransportConfig } from './transport-schema.js';
import { openWebSocket } from './websocket.js';

/** What autobahn calls the end of a session without a GOODBYE. */
export const TRANSPORT_LOST = 'wamp.close.transport_lost';

/** How long the router may take from HELLO to WELCOME: a person may have to look at something. */
const JOIN_MS = 30_000;

/** Where and as whom a client joins. */
export interface RemotePrincipal {
  readonly realm: string;
  readonly transport: ClientTransportConfig;
  readonly auth?: ClientAuthConfig | undefined;
}

/** A client with a connection. */
export class RemoteClient {
  readonly session: InProcessSession;
  readonly #login: Login;
  readonly #connection: RouterConnection;

  private constructor(connection: RouterConnection, login: Login, log: Logger) {
    this.#connection = connection;
    this.#login = login;
    this.session = new InProcessSession({
      tell: (message) => this.#tell(message),
      uriRule: 'loose',
      log,
      owner: 'the component',
      proofs: login,
    });
    void this.session.over.then(() => connection.close());
  }

  /** The session has not joined yet. @throws ConnectError (rejects), or what is wrong with `auth`. */
  static async connect(principal: RemotePrincipal, log: Logger): Promise<RemoteClient> {
    const { transport, auth } = principal;
    const login = loginWith(auth);
    const receiver = new Receiver();
    const connection =
      transport.type === 'websocket'
        ? await openWebSocket(transport, receiver)
        : await openRawSocket(transport, receiver);
    const client = new RemoteClient(connection, login, log);
    receiver.client = client;
    return client;
  }

  /** @throws CallError (rejects) with the reason of the router. */
  async join(realm: string): Promise<void> {
    const timer = setTimeout(
      () => this.session.disconnected('wamp.error.timeout', `no answer of the router within ${JOIN_MS / 1000} s`),
      JOIN_MS,
    );
    try {
      await this.session.join(realm, this.#login.details);
    } finally {
      clearTimeout(timer);
    }
  }

  receive(bytes: Buffer): void {
    try {
      this.session.receive(parseRouterMessage(this.#connection.serializer.values(bytes)));
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.session.disconnected('wamp.error.protocol_violation', error.message);
    }
  }

  closed(problem: string | undefined): void {
    this.session.disconnected(TRANSPORT_LOST, problem ?? 'the router closed the connection');
  }

  #tell(message: ClientMessage): void {
    const { serializer, framing, maxSendBytes } = this.#connection;
    const frame = serializer.encode(message, framing);
    const bytes = frame.length - framing.headerBytes(frame.length);
    if (bytes > maxSendBytes) {
      throw new TypeError(`the message has ${bytes} bytes, more than the ${maxSendBytes} that the router takes`);
    }
    this.#connection.send(frame);
  }
}

/** Hands on what comes, from when there is a client. Nothing comes before HELLO but the end. */
class Receiver implements ConnectionReceiver {
  #client: RemoteClient | undefined;
  #closed: { readonly problem: string | undefined } | undefined;

  set client(client: RemoteClient) {
    this.#client = client;
    if (this.#closed !== undefined) client.closed(this.#closed.problem);
  }

  onMessage(bytes: Buffer): void {
    this.#client?.receive(bytes);
  }

  onClose(problem: string | undefined): void {
    this.#closed = { problem };
    this.#client?.closed(problem);
  }
}
