/**
 * The meta events of a realm: the router publishes what happens to sessions, subscriptions and registrations. An event without
 * subscribers is not built.
 */
import { payloadOf } from '../../wamp/payload.js';
import { isReservedUri } from '../../wamp/uri.js';
import { EventPieces } from './event-pieces.js';
import type {
  SharedObserver,
  RegistrationObserver,
  RegistrationView,
  Scheduler,
  SubscriptionObserver,
  SubscriptionView,
} from '../observer.js';
import type { RouterSession } from '../session.js';
import type { PublishOptions } from '../../wamp/message.js';
import type { Publisher } from './event-pieces.js';

type PatternOf = { readonly id: number; readonly uri: string };

/** No session has this id. */
const FOR_NOBODY: PublishOptions = { eligible: [0] };

const nothing = (): void => undefined;

/** The session that an event names. */
type Told = Pick<RouterSession, 'id' | 'isElsewhere'>;

/** Publishes meta events. Broker and dealer call its observers. */
export class MetaEvents {
  readonly subscriptions: SubscriptionObserver;
  readonly registrations: RegistrationObserver;
  /** Where a realm has several nodes: what begins and ends is told by these, see {@link SharedObserver}. */
  readonly shared:
    | {
        readonly subscriptions: SharedObserver<SubscriptionView>;
        readonly registrations: SharedObserver<RegistrationView>;
      }
    | undefined;
  readonly #publisher: Publisher;
  readonly #pieces: EventPieces;
  #quiet = false;
  #isLeaving = false;

  /** @param isShared whether the realm has other nodes. */
  constructor(publisher: Publisher, scheduler: Scheduler, isShared: boolean) {
    this.#publisher = publisher;
    this.#pieces = new EventPieces(publisher, scheduler);
    const subscriptions = this.#observer('wamp.subscription', ['on_subscribe', 'on_unsubscribe'], subscriptionDetails);
    const registrations = this.#observer('wamp.registration', ['on_register', 'on_unregister'], registrationDetails);
    const alone = { created: nothing, deleted: nothing };
    this.subscriptions = isShared ? { ...subscriptions, ...alone } : subscriptions;
    this.registrations = isShared ? { ...registrations, ...alone } : registrations;
    this.shared = isShared
      ? {
          subscriptions: this.#sharedObserver('wamp.subscription', subscriptions.created),
          registrations: this.#sharedObserver('wamp.registration', registrations.created),
        }
      : undefined;
  }

  /** How many events wait for a later turn of the event loop. */
  get size(): number {
    return this.#pieces.size;
  }

  /** Runs `action`, in which a session leaves. Its meta events may be spread over several turns of the event loop. */
  leaving(action: () => void): void {
    this.#isLeaving = true;
    this.#pieces.begin();
    try {
      action();
    } finally {
      this.#isLeaving = false;
    }
  }

  /** Publishes `wamp.session.on_join` (section "Session Meta API"). */
  sessionJoined(session: RouterSession): void {
    if (this.#isWanted('wamp.session.on_join')) this.#publish('wamp.session.on_join', [session.details]);
  }

  /** Publishes `wamp.session.on_leave`. (Crossbar.io sends only the first of the three arguments.) */
  sessionLeft({ id, authid, authrole }: RouterSession): void {
    const topic = 'wamp.session.on_leave';
    if (this.#quiet && this.shared !== undefined) this.#tellNodes(topic, [id, authid, authrole]);
    else if (this.#isWanted(topic)) this.#publish(topic, [id, authid, authrole]);
  }

  /** Publishes what a node that is gone cannot: a session of it was a callee. @param isLast whether it was the last one. */
  registrationLost(session: number, { id, uri }: PatternOf, isLast: boolean): void {
    if (isReservedUri(uri)) return;
    const topics = ['wamp.registration.on_unregister', ...(isLast ? ['wamp.registration.on_delete'] : [])];
    for (const topic of topics) if (this.#isWanted(topic)) this.#publish(topic, [session, id]);
  }

  /** Runs `action` without meta events. */
  quietly(action: () => void): void {
    this.#quiet = true;
    try {
      action();
    } finally {
      this.#quiet = false;
    }
  }

  /** There are no meta events about URIs below `wamp.`: a subscription to a meta event raises none. */
  #observer<View extends PatternOf>(
    prefix: string,
    [joined, left]: readonly [string, string],
    detailsOf: (view: View) => unknown,
  ) {
    const tell = (topic: string, argument: (view: View) => unknown) => (session: Told, view: View) => {
      if (session.isElsewhere === true || isReservedUri(view.uri) || !this.#isWanted(topic)) return;
      this.#publish(topic, [session.id, argument(view)]);
    };
    const idOf = ({ id }: View): number => id;
    return {
      created: tell(`${prefix}.on_create`, detailsOf),
      joined: tell(`${prefix}.${joined}`, idOf),
      left: tell(`${prefix}.${left}`, idOf),
      deleted: tell(`${prefix}.on_delete`, idOf),
    };
  }

  #sharedObserver<View extends PatternOf>(
    prefix: string,
    begun: (session: Told, view: View) => void,
  ): SharedObserver<View> {
    const topic = `${prefix}.on_delete`;
    return {
      begun,
      ended: ({ id: session }, { id, uri }) => {
        if (isReservedUri(uri) || !this.#isWanted(topic)) return undefined;
        return () => this.#publish(topic, [session, id]);
      },
    };
  }

  /** Other nodes, which know who is here, learn what their clients are not told. */
  #tellNodes(topic: string, args: readonly unknown[]): void {
    if (this.#publisher.isWanted(topic, true)) this.#publisher.publish(topic, payloadOf(args), FOR_NOBODY);
  }

  #isWanted(topic: string): boolean {
    return !this.#quiet && this.#publisher.isWanted(topic);
  }

  #publish(topic: string, args: readonly unknown[]): void {
    const payload = payloadOf(args);
    if (this.#isLeaving) this.#pieces.publish(topic, payload);
    else this.#publisher.publish(topic, payload);
  }
}

/** A subscription as meta events and `wamp.subscription.get` show it. */
export function subscriptionDetails({ id, created, uri, match }: SubscriptionView) {
  return { id, created, uri, match };
}

/** A registration as meta events and `wamp.registration.get` show it. */
export function registrationDetails({ id, created, uri, match, invoke }: RegistrationView) {
  return { id, created, uri, match, invoke };
}
