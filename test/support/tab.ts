/** One connection of a browser whose sessions run on a transport that is none, and what it is told. */
import type { ClientInfo } from '../../src/auth/method.js';
import type { Session } from '../../src/session/session.js';
import { parseMessage } from '../../src/wamp/parse.js';
import { NO_PAYLOAD, payloadOf } from '../../src/wamp/payload.js';
import { FakeTransport } from './fake-transport.js';

/** One connection of the browser. */
export class Tab extends FakeTransport {
  session: Session;
  readonly #makeSession: (transport: Tab) => Session;

  constructor(client: ClientInfo, makeSession: (transport: Tab) => Session) {
    super(client);
    this.#makeSession = makeSession;
    this.session = makeSession(this);
  }

  override sessionEnded(): void {
    super.sessionEnded();
    this.session = this.#makeSession(this);
  }

  /** Sends a message and waits until nothing is under way any more. @returns what came. */
  async tell(message: readonly unknown[]): Promise<unknown[][]> {
    const [type] = message;
    const payload = type === 48 ? payloadOf((message[4] ?? []) as unknown[]) : NO_PAYLOAD;
    this.session.receive(parseMessage(message.slice(0, type === 48 ? 4 : undefined), message.length, payload));
    return this.take();
  }

  async take(): Promise<unknown[][]> {
    await settled();
    return this.sent.splice(0);
  }
}

/** Nothing is under way any more. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
