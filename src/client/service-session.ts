/**
 * The session by which a web service acts in a realm for those who ask it over HTTP: one for all of them, with a role of the config.
 * It is joined when it is first needed, and again when it has ended, because somebody killed it or the realm came back.
 */
import { connectLocal } from './connect.js';
import type { ClientSession } from './api.js';
import type { Relayed, Relaying } from './relay.js';
import type { LocalClient, LocalParts, LocalPrincipal } from './connect.js';

/** Whom the session belongs to. The `authid` is shown to others: the `id` of the service, or its type. */
export type ServicePrincipal = Omit<LocalPrincipal, 'kind'>;

/** One for each service. */
export class ServiceSession {
  readonly #parts: LocalParts;
  readonly #principal: LocalPrincipal;
  #client: Promise<LocalClient> | undefined;
  #isStopped = false;

  constructor(parts: LocalParts, principal: ServicePrincipal) {
    this.#parts = parts;
    this.#principal = { ...principal, kind: 'service' };
  }

  /**
   * @returns the session, open unless it ended a moment ago: then a request of it is rejected.
   * @throws CallError (rejects) `wamp.error.no_such_realm` or `wamp.error.no_such_role`, and Error when the service has stopped.
   */
  async open(): Promise<ClientSession> {
    return (await this.#joined()).session;
  }

  /** Asks for somebody else, whose payload goes as it is. @throws (rejects) as {@link open} */
  async relay(relayed: Relayed): Promise<Relaying> {
    return (await this.#joined()).relay(relayed);
  }

  /** Leaves the realm, with GOODBYE. Idempotent; never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    // A session that was not let in has nothing to leave.
    const client = await this.#client?.catch(() => undefined);
    client?.shutdown();
    await client?.over;
  }

  async #joined(): Promise<LocalClient> {
    if (this.#isStopped) throw new Error('the service has stopped');
    this.#client ??= this.#join();
    return this.#client;
  }

  #join(): Promise<LocalClient> {
    const joining = connectLocal(this.#parts, this.#principal);
    const forget = (): void => {
      if (this.#client === joining) this.#client = undefined;
    };
    joining.then(({ over }) => void over.then(forget), forget);
    return joining;
  }
}
