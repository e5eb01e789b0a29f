/** What is counted of a transport of the config. It stays when its connections close. */
import type { LoginCounts } from './login-counts.js';
import type { MessageCounts } from './message-counts.js';
import { MqttCounts } from './mqtt-counts.js';

/** What a WAMP connection speaks. */
export const PROTOCOLS = ['websocket', 'rawsocket', 'longpoll'] as const;
/** One of {@link PROTOCOLS}, or another one that a session comes by. */
export type Protocol = (typeof PROTOCOLS)[number] | 'mqtt';
/** How many connections, by what they speak. That of MQTT is there where it is spoken. */
type ByProtocol = Record<(typeof PROTOCOLS)[number], number> & { mqtt?: number };

/**
 * Why connections closed: `client` is every end that the node did not begin; `ended` are sessions that ended with GOODBYE, `denied` clients that
 * were not let in, `drain` the end of the node.
 */
export const CLOSE_REASONS = [
  ...(['client', 'ended', 'denied', 'idle', 'slow', 'limit', 'protocol', 'drain', 'error'] as const),
];
/** One of {@link CLOSE_REASONS}. */
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** Why clients were turned away before they had a connection. */
export const REFUSAL_REASONS = ['origin', 'subprotocol', 'path', 'limit', 'cookie_store', 'other'] as const;
/** One of {@link REFUSAL_REASONS}. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** What the connections of a place have that was not sent yet. */
export interface Waiting {
  /** How many bytes wait for each connection. */
  waiting(): Iterable<number>;
}

/** The counts of a transport. Who counts adds to the fields. */
export class TransportCounts {
  /** Of all transports of the node. */
  readonly logins: LoginCounts;
  /** Messages of clients that have no session yet, of all transports of the node. */
  readonly strangers: MessageCounts;
  readonly connections: ByProtocol = { websocket: 0, rawsocket: 0, longpoll: 0 };
  readonly opened: ByProtocol = { websocket: 0, rawsocket: 0, longpoll: 0 };
  readonly closed: Record<CloseReason, number> = {
    ...{ client: 0, ended: 0, denied: 0, idle: 0, slow: 0, limit: 0, protocol: 0, drain: 0, error: 0 },
  };
  readonly refused: Record<RefusalReason, number> = {
    ...{ origin: 0, subprotocol: 0, path: 0, limit: 0, cookie_store: 0, other: 0 },
  };
  /** Messages as they came, without the headers of their frames. */
  receivedBytes = 0;
  /** Messages as they were given to connections, with the headers of their frames. */
  sentBytes = 0;
  /** Connections that were cut because their clients read too slowly. */
  slowCut = 0;
  /** How often a connection began to lose events because its client reads too slowly. */
  slowDropping = 0;
  violations = 0;
  /** There where MQTT is spoken. */
  mqtt: MqttCounts | undefined;
  readonly hosts = new Set<Waiting>();
  /** When the certificate of an endpoint ends, in seconds since 1970. */
  readonly certificates = new Map<object, number>();

  constructor(shared: { readonly logins: LoginCounts; readonly strangers: MessageCounts }) {
    this.logins = shared.logins;
    this.strangers = shared.strangers;
  }
}

/** @returns what is counted of the clients of a transport, the same each time; of one that nobody looks at another one. */
export function mqttCountsOf(counts: TransportCounts | undefined): MqttCounts {
  if (counts === undefined) return new MqttCounts();
  return (counts.mqtt ??= new MqttCounts());
}

const REFUSALS: Readonly<Record<string, RefusalReason>> = {
  origin: 'origin',
  'null origin': 'origin',
  subprotocol: 'subprotocol',
  'no such path': 'path',
  'no WebSocket': 'path',
  'too many': 'limit',
  'cookie store': 'cookie_store',
};

/** Counts a client that was turned away. @param kind the word of the refusal; unknown ones count as `other` */
export function countRefusal(counts: TransportCounts | undefined, kind: string): void {
  if (counts !== undefined) counts.refused[REFUSALS[kind] ?? 'other'] += 1;
}
