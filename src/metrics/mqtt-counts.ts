/** What is counted of the clients of MQTT of a transport. */
/** Since the node started. Who counts adds to the fields. */
export class MqttCounts {
  /** Messages of clients that were not published: refused by the router, or with a payload that has no place in WAMP. */
  refusedMessages = 0;
  /** Events that MQTT has no place for. */
  unfitEvents = 0;
  /** Events with QoS 1 and 2 that a client did not get, because too many waited for it. */
  fullEvents = 0;
  /** Connections that ended because a newer one has the same client id. */
  takenOver = 0;
  /** Kept clients that were dropped for others, and those that did not come back in time. */
  keptDropped = 0;
  keptExpired = 0;
}
