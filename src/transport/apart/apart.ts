/**
 * Connections in one process, and their sessions in another: what an acceptor knows of it. At a front it gets its sessions and lets clients
 * in by {@link AtFront}; at the router it is a place of fronts by {@link BehindFronts}. Where neither is given, all is in one process.
 */
import type { CookieTracker } from '../../cookie/tracker.js';
import type { SerializerTypes } from '../../serializer/registry.js';
import type { LiveSessionDeps, SessionDeps } from '../../session/deps.js';
import type { Entrance } from './entrance.js';
import type { TransportHost } from '../transport-host.js';

/** At a front. A place is known by its section of the config. */
export interface AtFront {
  /** What its sessions are made with. */
  sessionsAt(section: object): LiveSessionDeps;
  entranceAt(section: object): Entrance;
}

/** Where clients of fronts come in, at the router. */
export interface Place {
  readonly host: TransportHost;
  readonly sessions: SessionDeps;
  /** Undefined where cookies are not tracked. */
  readonly tracker: CookieTracker | undefined;
  readonly serializers: SerializerTypes;
  /** @returns the router of a realm that is with another one; undefined for all others. Undefined where there is one router only. */
  readonly elsewhere?: ((realm: string) => string | undefined) | undefined;
}

/** At the router. */
export interface BehindFronts {
  /** Clients of fronts may come in at the place of a section from now on. */
  offer(section: object, place: Place): void;
}

/** Either of them, or none. */
export interface Apart {
  readonly atFront?: AtFront | undefined;
  readonly behindFronts?: BehindFronts | undefined;
}
