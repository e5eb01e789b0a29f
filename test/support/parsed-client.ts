/**
 * What clients have in common whose messages come as values: they keep what arrives, in order, until a test asks for it. How messages
 * come and go is up to those who extend it.
 */
import { ALL_ROLES, ConnectionClosed, isAnswer, QUESTION } from './wamp-client.js';
import type { CloseInfo } from './wamp-client.js';

export abstract class ParsedClient {
  isOpen = true;
  readonly closed: Promise<CloseInfo>;
  #end: (info: CloseInfo) => void = () => undefined;
  readonly #inbox: unknown[][] = [];
  #waiting: (() => void)[] = [];

  constructor() {
    this.closed = new Promise((resolve) => (this.#end = resolve));
  }

  /** Sends a message behind those before. */
  abstract send(message: readonly unknown[]): void;

  /** The next message. @throws ConnectionClosed when none comes any more. */
  async next(): Promise<unknown[]> {
    while (this.#inbox.length === 0) {
      if (!this.isOpen) throw new ConnectionClosed(await this.closed);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#inbox.shift() as unknown[];
  }

  /** Sends a message and waits for the next one. */
  ask(message: readonly unknown[]): Promise<unknown[]> {
    this.send(message);
    return this.next();
  }

  /** Opens a session. @throws when the answer is not WELCOME. */
  async hello(): Promise<{ readonly sessionId: number }> {
    const [type, sessionId] = await this.ask([1, 'realm1', { roles: ALL_ROLES }]);
    if (type !== 2) throw new Error('expected WELCOME');
    return { sessionId: sessionId as number };
  }

  /** Waits until everything is here that the router had for this session when it was asked, and keeps it to be read. */
  async settle(): Promise<void> {
    this.send(QUESTION);
    const early = [];
    for (let message = await this.next(); !isAnswer(message); message = await this.next()) early.push(message);
    this.#inbox.unshift(...early);
  }

  protected arrived(message: unknown[]): void {
    this.#inbox.push(message);
    this.#wake();
  }

  /** Nothing comes any more. */
  protected ended(): void {
    this.isOpen = false;
    this.#end({ code: 0, reason: '' });
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
