/** A transport that is none: it keeps what a session says and does to it. */
import type { ClientInfo } from '../../src/auth/method.js';
import type { CloseCause, SessionTransport } from '../../src/session/transport.js';
import type { RouterMessage } from '../../src/wamp/message.js';
import { clientInfo } from './client.js';
import { wire } from './realm.js';

export class FakeTransport implements SessionTransport {
  readonly facts = { peer: '192.0.2.1:1' };
  waitingBytes: number | undefined;
  readonly client: ClientInfo;
  /** What was sent and not taken yet, as arrays. */
  readonly sent: unknown[][] = [];
  closed: { readonly cause: CloseCause; readonly text: string } | undefined;
  /** How often the client was asked to prove who it is, had a session, was told GOODBYE, and said it. */
  challenges = 0;
  opened = 0;
  closing = 0;
  ended = 0;
  /** What was done to the reading, in order. */
  readonly reading: string[] = [];

  constructor(client: ClientInfo = clientInfo()) {
    this.client = client;
  }

  send(message: RouterMessage): void {
    this.sent.push(wire(message));
  }
  close(cause: CloseCause, text: string): void {
    this.closed = { cause, text };
  }
  challenged(): void {
    this.challenges += 1;
  }
  sessionOpened(): void {
    this.opened += 1;
  }
  sessionClosing(): void {
    this.closing += 1;
  }
  sessionEnded(): void {
    this.ended += 1;
  }
  pauseReading(): void {
    this.reading.push('paused');
  }
  resumeReading(): void {
    this.reading.push('resumed');
  }
}
