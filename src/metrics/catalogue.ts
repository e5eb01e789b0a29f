/**
 * All metrics of a node, in the order in which they are shown. `docs/operations.md` lists them, and a test holds the two together. The names
 * of the process and of Node.js are those that ready boards expect.
 */
import type { Metric } from './metric.js';

const counter = (name: string, help: string, ...labels: string[]): Metric => ({ name, type: 'counter', help, labels });
const gauge = (name: string, help: string, ...labels: string[]): Metric => ({ name, type: 'gauge', help, labels });
const histogram = (name: string, help: string, ...labels: string[]): Metric => ({
  ...{ name, type: 'histogram', help, labels },
});

/** Of the node as a whole. */
export const NODE = {
  build: gauge('wamp_build_info', 'The version of the node and of Node.js; always 1.', 'version', 'node'),
  reloadOk: gauge(
    'wamp_config_last_reload_successful',
    'Whether the config was accepted when it was last read: 1 or 0.',
  ),
  reloadTime: gauge(
    'wamp_config_last_reload_success_timestamp_seconds',
    'When a config was last accepted, in seconds since 1970.',
  ),
  pending: gauge('wamp_config_pending_restart', 'Changes of the config that only a restart brings into force.'),
} as const satisfies Record<string, Metric>;

/** Of connections and logins. */
export const TRANSPORT = {
  connections: gauge('wamp_connections', 'Open WAMP connections.', 'transport', 'protocol'),
  opened: counter('wamp_connections_opened_total', 'WAMP connections that were opened.', 'transport', 'protocol'),
  closed: counter('wamp_connections_closed_total', 'WAMP connections that closed, by reason.', 'transport', 'reason'),
  refused: counter(
    'wamp_handshakes_refused_total',
    'Clients that were turned away before they had a connection.',
    ...['transport', 'reason'],
  ),
  receivedBytes: counter(
    'wamp_received_bytes_total',
    'Bytes of messages from clients, without frame headers.',
    'transport',
  ),
  sentBytes: counter('wamp_sent_bytes_total', 'Bytes of messages to clients, with frame headers.', 'transport'),
  unsent: gauge('wamp_unsent_bytes', 'Bytes that wait for clients to read them.', 'transport'),
  slow: counter(
    'wamp_slow_consumers_total',
    'Clients that read too slowly: cut, or a time of dropped events began.',
    ...['transport', 'policy'],
  ),
  violations: counter(
    'wamp_protocol_violations_total',
    'Sessions that ended because the client broke the protocol.',
    'transport',
  ),
  certificate: {
    ...gauge(
      'wamp_tls_certificate_expiry_timestamp_seconds',
      'When the certificate of the transport ends, in seconds since 1970.',
      'transport',
    ),
    together: 'least',
  },
  logins: counter('wamp_authentications_total', 'Logins that were decided on.', 'method', 'outcome'),
} as const satisfies Record<string, Metric>;

/** Of realms. */
export const REALM = {
  sessions: gauge('wamp_sessions', 'Open sessions.', 'realm', 'role'),
  joined: counter(
    'wamp_sessions_joined_total',
    'Sessions that joined, by authentication method.',
    'realm',
    'authmethod',
  ),
  left: counter('wamp_sessions_left_total', 'Sessions that left, by reason.', 'realm', 'reason'),
  authorizations: counter('wamp_authorizations_total', 'Requests that were decided on.', 'realm', 'action', 'outcome'),
  received: counter('wamp_messages_received_total', 'Messages from clients.', 'realm', 'type'),
  sent: counter('wamp_messages_sent_total', 'Messages to clients.', 'realm', 'type'),
  dropped: counter('wamp_events_dropped_total', 'Events that a subscriber was not sent.', 'realm', 'reason'),
  subscriptions: gauge('wamp_subscriptions', 'Topics and patterns with subscribers.', 'realm', 'match'),
  registrations: gauge('wamp_registrations', 'Procedures and patterns with callees.', 'realm', 'match'),
  calls: counter('wamp_calls_total', 'Calls that ended, by outcome.', 'realm', 'outcome'),
  inFlight: gauge('wamp_calls_in_flight', 'Calls that wait for callees.', 'realm'),
  durations: histogram('wamp_call_duration_seconds', 'How long calls to callees took.', 'realm'),
  retainedEvents: gauge('wamp_retained_events', 'Retained events that are kept.', 'realm'),
  retainedBytes: gauge('wamp_retained_bytes', 'Bytes of retained events.', 'realm'),
  historyBytes: gauge('wamp_history_bytes', 'Bytes of the history of events.', 'realm'),
  publications: counter(
    'wamp_topic_publications_total',
    'Publications to topics that the config names.',
    'realm',
    'topic',
  ),
  procedureCalls: counter(
    'wamp_procedure_calls_total',
    'Calls of procedures that the config names.',
    'realm',
    'procedure',
  ),
  procedureDurations: histogram(
    'wamp_procedure_duration_seconds',
    'How long calls of procedures that the config names took.',
    ...['realm', 'procedure'],
  ),
} as const satisfies Record<string, Metric>;

/** Of the clients of MQTT. */
export const MQTT = {
  refused: counter(
    'wamp_mqtt_messages_refused_total',
    'Messages of clients of MQTT that were acknowledged and not published.',
    'transport',
  ),
  dropped: counter(
    'wamp_mqtt_events_dropped_total',
    'Events that clients of MQTT did not get: too many waited (queue), or they have no place in MQTT (unfit).',
    ...['transport', 'reason'],
  ),
  takenOver: counter(
    'wamp_mqtt_connections_taken_over_total',
    'Connections that ended because a newer one has the same client id.',
    'transport',
  ),
  forgotten: counter(
    'wamp_mqtt_clients_forgotten_total',
    'Clients that were kept while they were away, and are no more: to make room (room), or late (expired).',
    ...['transport', 'reason'],
  ),
} as const satisfies Record<string, Metric>;

/** Of a node in a cluster. */
export const CLUSTER = {
  member: gauge('wamp_cluster_member', 'Whether the node is in its cluster, and serves: 1 or 0.', 'cluster'),
  nodes: gauge('wamp_cluster_nodes', 'Other nodes of the cluster that this one knows.', 'cluster'),
  fenced: counter('wamp_cluster_fenced_total', 'How often the node lost the cluster, and cut its clients.', 'cluster'),
  lost: counter('wamp_cluster_messages_lost_total', 'Times that messages of another node were missing.', 'cluster'),
  undelivered: counter(
    'wamp_cluster_messages_undelivered_total',
    'Messages to another node that surely reached nobody.',
    'cluster',
  ),
} as const satisfies Record<string, Metric>;

/** Of the processes that have connections for the node. */
export const FRONT = {
  connections: gauge('wamp_front_connections', 'Clients of a front.', 'worker', 'front'),
  unsent: gauge('wamp_front_unsent_bytes', 'Bytes that wait for a front to read them.', 'worker', 'front'),
  cpu: counter('wamp_front_cpu_seconds_total', 'Processor time of a front.', 'worker', 'front'),
  memory: gauge('wamp_front_resident_memory_bytes', 'Resident memory of a front.', 'worker', 'front'),
  lost: counter('wamp_fronts_lost_total', 'Fronts that ended, or were ended because they hung.', 'worker'),
} as const satisfies Record<string, Metric>;

/** Of the processes of router workers. */
export const ROUTER_PROCESS = {
  cpu: counter('wamp_router_process_cpu_seconds_total', 'Processor time of the process of a router worker.', 'worker'),
  memory: gauge(
    'wamp_router_process_resident_memory_bytes',
    'Resident memory of the process of a router worker.',
    'worker',
  ),
  lost: counter(
    'wamp_router_processes_lost_total',
    'Processes of router workers that ended, or were ended because they hung.',
    'worker',
  ),
} as const satisfies Record<string, Metric>;

/** Of cookie stores. */
export const COOKIE = {
  // Several processes may have one store.
  cookies: { ...gauge('wamp_cookies', 'Cookies that are kept.', 'store'), together: 'most' },
  created: counter('wamp_cookies_created_total', 'New cookies.', 'store'),
  logins: counter('wamp_cookie_logins_total', 'Logins that were stored with cookies.', 'store'),
  failures: counter('wamp_cookie_store_failures_total', 'Requests to the store that failed.', 'store'),
  syncs: histogram(
    'wamp_cookie_store_sync_duration_seconds',
    'How long it took to write changes, and to sync them where the config asks for it.',
    'store',
  ),
} as const satisfies Record<string, Metric>;

/** Of HTTP. */
export const HTTP = {
  requests: counter('wamp_http_requests_total', 'HTTP requests that were answered.', 'service', 'code'),
  durations: histogram('wamp_http_request_duration_seconds', 'How long answers to HTTP requests took.', 'service'),
} as const satisfies Record<string, Metric>;

/** Of the process and of Node.js. */
export const PROCESS = {
  cpuUser: counter('process_cpu_user_seconds_total', 'Processor time of the program itself.'),
  cpuSystem: counter('process_cpu_system_seconds_total', 'Processor time of the system for the program.'),
  cpu: counter('process_cpu_seconds_total', 'Processor time.'),
  started: gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.'),
  resident: gauge('process_resident_memory_bytes', 'Memory that the process has in the machine.'),
  openFds: gauge('process_open_fds', 'Open file descriptors.'),
  maxFds: gauge('process_max_fds', 'The most file descriptors that may be open.'),
  lag: gauge('nodejs_eventloop_lag_seconds', 'The mean delay of the event loop since the last scrape.'),
  lagMax: gauge('nodejs_eventloop_lag_max_seconds', 'The longest delay of the event loop since the last scrape.'),
  lagP50: gauge('nodejs_eventloop_lag_p50_seconds', 'The median delay of the event loop since the last scrape.'),
  lagP99: gauge(
    'nodejs_eventloop_lag_p99_seconds',
    'The 99th percentile of delays of the event loop since the last scrape.',
  ),
  heapTotal: gauge('nodejs_heap_size_total_bytes', 'Memory of the heap of JavaScript.'),
  heapUsed: gauge('nodejs_heap_size_used_bytes', 'Memory of the heap of JavaScript that is in use.'),
  external: gauge('nodejs_external_memory_bytes', 'Memory of Node.js outside of the heap.'),
  gc: histogram('nodejs_gc_duration_seconds', 'How long collections of garbage took.', 'kind'),
  version: gauge('nodejs_version_info', 'The version of Node.js; always 1.', 'version', 'major', 'minor', 'patch'),
} as const satisfies Record<string, Metric>;

/** All of them, in order. */
export const METRICS: readonly Metric[] = [
  ...[NODE, TRANSPORT, MQTT, REALM, CLUSTER, FRONT, ROUTER_PROCESS, COOKIE, HTTP, PROCESS],
].flatMap((group) => Object.values<Metric>(group));
