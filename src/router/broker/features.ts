/** What a broker announces in WELCOME (section "Feature Announcement"). */

/** The features of the broker, as WELCOME announces them. */
export const BROKER_FEATURES = {
  event_retention: true,
  pattern_based_subscription: true,
  // Crossbar.io's names for payloads that are passed through as they are.
  payload_encryption_cryptobox: true,
  payload_passthru_mode: true,
  payload_transparency: true,
  publisher_exclusion: true,
  publisher_identification: true,
  subscriber_blackwhite_listing: true,
  subscription_revocation: true,
} as const;

/** The same, of a broker with other nodes, where nothing is retained: each node would have other events than the next. */
export const LINKED_BROKER_FEATURES = Object.fromEntries(
  Object.entries(BROKER_FEATURES).filter(([feature]) => feature !== 'event_retention'),
);
