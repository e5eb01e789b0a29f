/** What the uplink of a realm brings from the other nodes. */
import type { Call } from '../../wamp/message.js';
import type { Broker } from '../broker/broker.js';
import type { Dealer } from '../dealer/dealer.js';
import type { RouterSession } from '../session.js';
import type { WampError } from '../../wamp/error.js';
import type { Dict } from '../../wamp/payload.js';
import type { MetaApi } from '../meta/meta-api.js';
import type {
  AdmittedStanding,
  MetaAnswer,
  Publication,
  RegistrationClaim,
  RegistrationStanding,
  WantedPattern,
} from '../uplink.js';

const NO_SESSIONS: ReadonlyMap<number, RouterSession> = new Map();

/** The side of a realm that an `Uplink` calls. Sessions of other nodes are `isElsewhere`; `Realm.forget` removes one that is gone. */
export class Elsewhere {
  readonly #broker: Broker;
  readonly #dealer: Dealer;
  readonly #meta: MetaApi | undefined;

  /** @param meta undefined where the realm has none. */
  constructor(broker: Broker, dealer: Dealer, meta: MetaApi | undefined) {
    this.#broker = broker;
    this.#dealer = dealer;
    this.#meta = meta;
  }

  /**
   * Answers a question of another node.
   * @param procedure as `MetaQuestion` has it.
   * @param reply called once, at once or later.
   */
  answer(procedure: string, question: Dict, reply: (answer: MetaAnswer | WampError) => void): void {
    if (this.#meta === undefined) reply({});
    else this.#meta.answer(procedure, question, reply);
  }

  /** The sessions of this node by id; none where the meta API does not show them. */
  get sessions(): ReadonlyMap<number, RouterSession> {
    return this.#meta?.sessions ?? NO_SESSIONS;
  }

  /** The node was away, and the others told that its sessions have left: those that stayed are told to have joined. */
  returned(): void {
    for (const session of this.sessions.values()) this.#meta?.joined(session);
  }

  /** Delivers a publication that came for one pattern to the subscribers on this node. */
  deliver(pattern: WantedPattern, publication: Publication): void {
    this.#broker.deliver(pattern, publication);
  }

  /**
   * Takes a registration away from a session of this node, because another node has it now.
   * @param claim as the uplink was told.
   * @returns false when it was over already.
   */
  revokeClaim(claim: RegistrationClaim, reason?: string): boolean {
    return this.#dealer.revokeClaim(claim, reason);
  }

  /**
   * A registration that the other nodes took for gone is back, because this node is back among them. It stands behind those that came
   * meanwhile, as on every node.
   * @param claim as the uplink was told.
   */
  regained(claim: RegistrationClaim, standing: RegistrationStanding): void {
    this.#dealer.regained(claim, standing);
  }

  /**
   * A session of another node is a callee from now on.
   * @param session gets INVOCATION and INTERRUPT, and answers by `Realm.receive`.
   * @param among where it stands among the callees of all nodes.
   */
  admit(session: RouterSession, claim: RegistrationClaim, among: AdmittedStanding): void {
    this.#dealer.admit(session, claim, among);
  }

  /**
   * Tells, by the meta API, what a node that is gone cannot: its session is no callee any more.
   * @param isLast whether it was the last one on any node.
   */
  lost(session: number, registration: { readonly id: number; readonly uri: string }, isLast: boolean): void {
    this.#meta?.registrationLost(session, registration, isLast);
  }

  /** @returns when a subscription of this node was created, in milliseconds since 1970; undefined when there is none. */
  subscribedSince(id: number): number | undefined {
    return this.#broker.createdMs(id);
  }

  /** It is one no more. Calls that it has it may still answer. */
  dismiss(session: RouterSession, pattern: WantedPattern): void {
    this.#dealer.dismiss(session, pattern);
  }

  /**
   * A CALL for one callee of this node, which another node chose: a new one, or more of one that is there.
   * @param caller stands for the session that calls there: gets RESULT and ERROR, and cancels by `Realm.receive`.
   * @param claim of the callee.
   * @param message whose options are the details of INVOCATION.
   * @param mayWait whether the call waits when the callee has no room; it does by default.
   * @returns false when it may not, and the callee was not asked.
   * @throws WampError when the callee was not asked: `wamp.error.unavailable` where it has left.
   */
  forward(caller: RouterSession, claim: RegistrationClaim, message: Call, mayWait = true): boolean {
    return this.#dealer.forward(caller, claim, message, mayWait);
  }

  /**
   * The callee of another node was not asked, because it has no room: see `RouterSession.tryInvoke`.
   * @param requestId of the INVOCATION.
   */
  busy(session: RouterSession, requestId: number): void {
    this.#dealer.busy(session, requestId);
  }
}
