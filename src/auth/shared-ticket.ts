/**
 * The name `ticket`, where more than one method takes tickets: one-time tickets, tokens, passwords. Clients know only this one
 * method for "a secret as it is". The kinds are told apart by their form, and passwords are what is left.
 *
 *     a ticket came with the handshake, or in `authextra`  -> its reader; no CHALLENGE
 *     else CHALLENGE `ticket` -> AUTHENTICATE -> the first reader whose kind it is -> else the section `ticket`
 */
import { faultOfLogin } from './standing.js';
import { denied } from './verdict.js';
import type { AuthContext, AuthMethod, AuthRequest, AuthUris, ClientInfo } from './method.js';
import type { Pass, TicketReader, Verdict } from './method.js';
import type { CookieAuth, LoginFault } from '../cookie/store.js';

/** The name in HELLO. */
export const TICKET = 'ticket';

type Answer = Verdict | Pass | Promise<Verdict | Pass>;

/** All that take tickets on one transport. */
export class SharedTicket implements AuthMethod {
  /** The method of the section `ticket`: takes what no reader takes. */
  rest: AuthMethod | undefined;
  readonly #readers: TicketReader[] = [];
  readonly #methods = new Set<AuthMethod>();
  readonly #uris: AuthUris;

  constructor(uris: AuthUris) {
    this.#uris = uris;
  }

  /** Whether nobody but the section `ticket` takes any. */
  get isEmpty(): boolean {
    return this.#readers.length === 0;
  }

  /** @param method of which it is: may have no name of its own. */
  add(reader: TicketReader, method: AuthMethod): void {
    this.#readers.push(reader);
    this.#methods.add(method);
  }

  isPresented(client: ClientInfo): boolean {
    return this.#readers.some((reader) => reader.presented?.(client) !== undefined);
  }

  start(request: AuthRequest, context: AuthContext): Answer {
    for (const reader of this.#readers) {
      const ticket = reader.presented?.(context.client);
      if (ticket !== undefined) return this.#judged(reader.read(ticket, request, context));
    }
    const given = request.authextra?.['ticket'] ?? request.authextra?.['token'];
    if (typeof given === 'string') return this.#read(given, {}, request, context);
    const resume = (ticket: string, extra: AuthRequest['authextra'] = {}) =>
      this.#read(ticket, extra, request, context);
    return { type: 'challenge', authmethod: TICKET, extra: {}, resume };
  }

  /** Of passwords only: the others have names of their own. */
  faultOf(login: CookieAuth): LoginFault | undefined {
    return faultOfLogin(login, this.rest);
  }

  async stop(): Promise<void> {
    await Promise.all([this.rest, ...this.#methods].map(async (method) => method?.stop?.()));
  }

  async #read(
    ticket: string,
    extra: NonNullable<AuthRequest['authextra']>,
    request: AuthRequest,
    context: AuthContext,
  ): Promise<Verdict> {
    for (const reader of this.#readers) {
      const verdict = await reader.read(ticket, request, context);
      if (verdict.type !== 'pass') return verdict;
    }
    if (this.rest === undefined) return denied(this.#uris);
    const verdict = await this.rest.start(request, context);
    if (verdict.type === 'challenge') return verdict.resume(ticket, extra);
    return verdict.type === 'pass' ? denied(this.#uris) : verdict;
  }

  async #judged(answer: Answer): Promise<Verdict> {
    const verdict = await answer;
    return verdict.type === 'pass' ? denied(this.#uris) : verdict;
  }
}
