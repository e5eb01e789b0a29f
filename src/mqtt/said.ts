/** What the log says of a client for which MQTT has no word. Clients can cause it as often as they like. */
import { sayRepeated } from '../log/repeated.js';
import { MAX_URI_LENGTH } from '../wamp/uri.js';
import type { RepeatedLogDeps } from '../log/repeated.js';

/** Whose message it was, and the URI that its topic has. */
export interface SaidOf {
  readonly sessionId: number;
  readonly topic: string;
}

/** A message that nobody gets. */
export function sayDropped(log: RepeatedLogDeps, { sessionId, topic }: SaidOf, reason: unknown): void {
  const facts = { sessionId, topic: topic.slice(0, MAX_URI_LENGTH), reason };
  sayRepeated(log, 'info', facts, 'message of a client of MQTT dropped');
}

/** A retained message that only those get who are subscribed now. */
export function sayNotRetained(log: RepeatedLogDeps, { sessionId, topic }: SaidOf): void {
  const facts = { sessionId, topic, reason: 'events of a realm on several nodes are not retained' };
  sayRepeated(log, 'info', facts, 'message of a client of MQTT delivered, but not retained');
}

/** A filter is no subscription any more. */
export function sayLostFilter(log: RepeatedLogDeps, sessionId: number, filter: string): void {
  sayRepeated(log, 'info', { sessionId, filter }, 'client of MQTT is subscribed no more');
}
