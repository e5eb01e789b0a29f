/** What is shown of the config of the node. Who loads it, or loads it again, changes the fields. */

/** Facts of the config, and of its last reload. */
export class ConfigFacts {
  /** When a config was last accepted, in milliseconds since 1970; undefined where nobody says so. */
  loadedMs: number | undefined;
  /** Whether it was accepted when it was last read. */
  isLastAccepted = true;
  /** How many of its changes only a restart brings into force. */
  pending = 0;
}
