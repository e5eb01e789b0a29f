/** Shows what a node has counted. */
import { COOKIE, HTTP, MQTT, NODE, REALM, TRANSPORT } from './catalogue.js';
import { ACTIONS } from './realm-counts.js';
import { CLIENT_MESSAGES, ROUTER_MESSAGES } from './message-counts.js';
import { BREATH, sample, samplesOf } from './metric.js';
import { SERIES_A_TURN } from './collect.js';
import type { ConfigFacts } from './config-facts.js';
import type { CookieCounts } from './cookie-counts.js';
import type { HttpCounts } from './http-counts.js';
import type { LoginCounts } from './login-counts.js';
import type { MessageCounts } from './message-counts.js';
import type { Sample } from './metric.js';
import type { MqttCounts } from './mqtt-counts.js';
import type { RealmCounts } from './realm-counts.js';
import type { TransportCounts, Waiting } from './transport-counts.js';

/** What a node has counted. */
export interface Counted {
  readonly http: HttpCounts;
  readonly logins: LoginCounts;
  readonly strangers: MessageCounts;
  readonly config: ConfigFacts;
  readonly realms: ReadonlyMap<string, RealmCounts>;
  readonly transports: ReadonlyMap<string, TransportCounts>;
  readonly cookies: ReadonlyMap<string, CookieCounts>;
}

/** @returns all counts, as samples. */
export async function* countSamples(counted: Counted): AsyncGenerator<Sample | typeof BREATH> {
  yield* configSamples(counted.config);
  for (const [id, counts] of counted.transports) {
    yield* transportSamples(id, counts);
    if (counts.mqtt !== undefined) yield* mqttSamples(id, counts.mqtt);
    yield* unsentSamples(id, counts.hosts);
  }
  for (const [method, outcomes] of counted.logins.byMethod) {
    yield* samplesOf(TRANSPORT.logins, Object.entries(outcomes), method);
  }
  yield* messageSamples('', counted.strangers);
  for (const [name, counts] of counted.realms) {
    yield* realmSamples(name, counts);
    yield* uriSamples(name, counts);
  }
  for (const [name, counts] of counted.cookies) {
    yield* cookieSamples(name, counts);
    const size = await counts.size();
    if (size !== undefined) yield sample(COOKIE.cookies, size, name);
  }
  for (const [type, { codes, durations }] of counted.http.services) {
    yield* samplesOf(HTTP.requests, codes, type);
    if (counted.http.isTimed) yield sample(HTTP.durations, durations, type);
  }
}

function* configSamples({ loadedMs, isLastAccepted, pending }: ConfigFacts): Generator<Sample> {
  if (loadedMs === undefined) return;
  yield sample(NODE.reloadOk, isLastAccepted ? 1 : 0);
  yield sample(NODE.reloadTime, loadedMs / 1000);
  yield sample(NODE.pending, pending);
}

function* transportSamples(id: string, counts: TransportCounts): Generator<Sample> {
  yield* samplesOf(TRANSPORT.connections, Object.entries(counts.connections), id);
  yield* samplesOf(TRANSPORT.opened, Object.entries(counts.opened), id);
  yield* samplesOf(TRANSPORT.closed, Object.entries(counts.closed), id);
  yield* samplesOf(TRANSPORT.refused, Object.entries(counts.refused), id);
  yield sample(TRANSPORT.receivedBytes, counts.receivedBytes, id);
  yield sample(TRANSPORT.sentBytes, counts.sentBytes, id);
  yield sample(TRANSPORT.slow, counts.slowCut, id, 'cut');
  yield sample(TRANSPORT.slow, counts.slowDropping, id, 'drop');
  yield sample(TRANSPORT.violations, counts.violations, id);
  if (counts.certificates.size > 0) {
    // The one that ends first is the one to look after.
    yield sample(TRANSPORT.certificate, Math.min(...counts.certificates.values()), id);
  }
}

function* mqttSamples(id: string, counts: MqttCounts): Generator<Sample> {
  yield sample(MQTT.refused, counts.refusedMessages, id);
  yield sample(MQTT.dropped, counts.fullEvents, id, 'queue');
  yield sample(MQTT.dropped, counts.unfitEvents, id, 'unfit');
  yield sample(MQTT.takenOver, counts.takenOver, id);
  yield sample(MQTT.forgotten, counts.keptDropped, id, 'room');
  yield sample(MQTT.forgotten, counts.keptExpired, id, 'expired');
}

function* unsentSamples(id: string, hosts: Iterable<Waiting>): Generator<Sample | typeof BREATH> {
  let [sum, looks] = [0, 0];
  for (const host of hosts) {
    for (const bytes of host.waiting()) {
      sum += bytes;
      if (++looks % SERIES_A_TURN === 0) yield BREATH;
    }
  }
  yield sample(TRANSPORT.unsent, sum, id);
}

function* messageSamples(realm: string, { received, sent }: MessageCounts): Generator<Sample> {
  for (const [name, type] of CLIENT_MESSAGES) yield sample(REALM.received, received[type] ?? 0, realm, name);
  for (const [name, type] of ROUTER_MESSAGES) yield sample(REALM.sent, sent[type] ?? 0, realm, name);
}

function* realmSamples(name: string, counts: RealmCounts): Generator<Sample> {
  yield* messageSamples(name, counts.messages);
  yield* samplesOf(REALM.sessions, counts.sessions, name);
  yield* samplesOf(REALM.joined, counts.joined, name);
  yield* samplesOf(REALM.left, Object.entries(counts.left), name);
  for (const action of ACTIONS) {
    yield sample(REALM.authorizations, counts.allowed[action], name, action, 'ok');
    yield sample(REALM.authorizations, counts.denied[action], name, action, 'denied');
    yield sample(REALM.authorizations, counts.undecided[action], name, action, 'error');
  }
  yield* samplesOf(REALM.dropped, Object.entries(counts.dropped), name);
  yield* samplesOf(REALM.calls, Object.entries(counts.calls), name);
  yield sample(REALM.inFlight, counts.callsInFlight, name);
  if (counts.durations !== undefined) yield sample(REALM.durations, counts.durations, name);
}

function* uriSamples(realm: string, { uris }: RealmCounts): Generator<Sample> {
  if (uris === undefined) return;
  yield* samplesOf(REALM.publications, uris.topics, realm);
  for (const [procedure, { calls, durations }] of uris.procedures) {
    yield sample(REALM.procedureCalls, calls, realm, procedure);
    yield sample(REALM.procedureDurations, durations, realm, procedure);
  }
}

function* cookieSamples(name: string, counts: CookieCounts): Generator<Sample> {
  yield sample(COOKIE.created, counts.created, name);
  yield sample(COOKIE.logins, counts.logins, name);
  yield sample(COOKIE.failures, counts.failures, name);
  yield sample(COOKIE.syncs, counts.syncs, name);
}
