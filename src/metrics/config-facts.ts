/** What is shown of the config of the node. Who loads it, or loads it again, changes the fields. */

/** What a node says of its config. */
export interface ToldConfig {
  readonly loadedAt: string;
  readonly lastReloadSuccessful: boolean;
  readonly pending: readonly string[];
}

/** Facts of the config, and of its last reload. */
export class ConfigFacts {
  /** When a config was last accepted, in milliseconds since 1970; undefined where nobody says so. */
  loadedMs: number | undefined;
  /** Whether it was accepted when it was last read. */
  isLastAccepted = true;
  /** How many of its changes only a restart brings into force. */
  pending = 0;

  /** Says from now on what is so. @param told `loadedAt` is a time in ISO 8601. */
  tell({ loadedAt, lastReloadSuccessful, pending }: ToldConfig): void {
    this.loadedMs = Date.parse(loadedAt);
    this.isLastAccepted = lastReloadSuccessful;
    this.pending = pending.length;
  }
}
