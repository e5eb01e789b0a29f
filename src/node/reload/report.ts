/** What a node says of its reloads. Part of the public types: nothing of the config may be imported here. */
import type { OutdatedSessions } from '../../worker/summary.js';

export type { OutdatedSession, OutdatedSessions } from '../../worker/summary.js';

/** How a reload is to be done. */
export interface ReloadWish {
  /**
   * Stops the components of router workers whose config has changed, and starts them with the new one; those that come or go likewise.
   * Without it they wait for a restart. Modules that the node has loaded it does not load again.
   */
  readonly restartComponents?: boolean;
}

/** How things stand with the config of a node; for those who ask now and then, such as metrics. */
export interface ReloadFacts {
  /** When the config in force was read, ISO 8601 in UTC. */
  readonly loadedAt: string;
  /** Whether the last reload could be done; true before the first. */
  readonly lastReloadSuccessful: boolean;
  /** JSON Pointers into the config file: what of it takes a restart. */
  readonly pending: readonly string[];
}

/** What came of one reload. */
export interface ReloadReport {
  readonly ok: boolean;
  /** What was wrong: nothing has changed then, or no component, where `componentsFailed`. */
  readonly problems: readonly string[];
  /** A component could not start: all of its worker run as before, and all else is taken over. */
  readonly componentsFailed: boolean;
  /** What is probably a mistake. */
  readonly warnings: readonly string[];
  /** What has changed, and for whom. */
  readonly changes: readonly { readonly pointer: string; readonly how: string }[];
  /** See {@link ReloadFacts.pending}. */
  readonly pending: readonly string[];
  /** Those of `pending` that {@link ReloadWish.restartComponents} brings into force. */
  readonly onDemand: readonly string[];
  /** The ids of components that were started, with a new config or for the first time, and of those that are gone. */
  readonly components: { readonly started: readonly string[]; readonly stopped: readonly string[] };
  /** Subscriptions and registrations that the new rules forbid. */
  readonly revoked: number;
  /** Realms and roles that are gone, with their sessions. */
  readonly removed: number;
  /** Sessions that would not be let in any more. */
  readonly outdated: OutdatedSessions;
}
