/** What a node says of its reloads. Part of the public types: nothing of the config may be imported here. */

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
  /** What was wrong: nothing has changed then. */
  readonly problems: readonly string[];
  /** What is probably a mistake. */
  readonly warnings: readonly string[];
  /** What has changed, and for whom. */
  readonly changes: readonly { readonly pointer: string; readonly how: string }[];
  /** See {@link ReloadFacts.pending}. */
  readonly pending: readonly string[];
  /** Subscriptions and registrations that the new rules forbid. */
  readonly revoked: number;
  /** Realms and roles that are gone, with their sessions. */
  readonly removed: number;
}
