#!/usr/bin/env node
/**
 * `npm run bench:longpoll`: what an event that a client of long-poll fetches costs the router, and what a call costs that it makes,
 * with batches and without, beside the same on a WebSocket. The publisher of the events is on a WebSocket, and what is called is a
 * procedure of the router. 16 are under way. The node is fresh for each kind.
 */
import { LongPollClient } from './load/longpoll.js';
import { Violations } from './load/sequence.js';
import { EVENT, PUBLISH, WampSession } from './load/wamp-session.js';
import { CONNECTIONS, inWorkers, microsOfEach, runBench } from './requests.js';
import { startConfigured } from './servers.js';

const REALM = 'realm1';
const TOPIC = 'com.example.bench';
const PROCEDURE = 'wamp.session.count';
const UNDER_WAY = CONNECTIONS;

/**
 * @typedef {'WebSocket' | 'long-poll' | 'long-poll with batches'} Transport
 *
 * @callback Begin
 * @param {WampSession} session whose transport is measured
 * @param {WampSession} other on a WebSocket
 * @returns {Promise<(count: number) => Promise<void>>} makes so many
 */

/** @type {readonly Transport[]} */
const TRANSPORTS = ['WebSocket', 'long-poll', 'long-poll with batches'];
/** @type {readonly { title: string, begin: Begin }[]} */
const LOADS = [
  { title: 'an event to', begin: events },
  { title: 'a call through', begin: calls },
];

await runBench({
  name: 'longpoll',
  what: 'events or calls',
  requests: 10_000,
  head: ['load', 'CPU µs of the router', 'HTTP requests'],
  rows: LOADS.flatMap(({ title, begin }) =>
    TRANSPORTS.map((transport) => ({
      title: `${title} ${transport}`,
      measure: (/** @type {number} */ count) => measure(transport, begin, count),
    })),
  ),
});

/**
 * @param {Transport} transport
 * @param {Begin} begin
 * @param {number} count
 * @returns {Promise<import('./requests.js').Measured>}
 */
async function measure(transport, begin, count) {
  const server = await startConfigured(config());
  const violations = new Violations();
  let micros = 0;
  let requests = 0;
  let problem;
  try {
    const place = new URL(server.url);
    const other = await WampSession.open(place, REALM, violations);
    const session = await joinBy(transport, place, violations);
    const load = await begin(session, other);
    micros = await microsOfEach(server.pid, count, async (n) => {
      const before = requestsOf(session);
      await load(n);
      requests = (requestsOf(session) - before) / n;
    });
    await session.leave();
    await other.leave();
  } finally {
    problem = await server.stop();
  }
  if (violations.total > 0) problem = JSON.stringify(violations);
  return { micros, beside: [requests.toFixed(2)], problem };
}

function config() {
  const allow = { call: true, register: true, publish: true, subscribe: true };
  const realm = { name: REALM, roles: [{ name: 'anonymous', permissions: [{ uri: '*', allow }] }] };
  const paths = { '/': { type: 'nodeinfo' }, ws: { type: 'websocket' }, lp: { type: 'longpoll' } };
  const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 };
  return { version: 2, workers: [{ type: 'router', realms: [realm], transports: [{ type: 'web', endpoint, paths }] }] };
}

/**
 * @param {Transport} transport
 * @param {URL} place
 * @param {Violations} violations
 */
async function joinBy(transport, place, violations) {
  if (transport === 'WebSocket') return WampSession.open(place, REALM, violations);
  const service = new URL(`http://${place.host}/lp`);
  const client = await LongPollClient.open(service, { batched: transport === 'long-poll with batches' });
  return WampSession.join(client, REALM, violations);
}

/** @param {WampSession} session */
function requestsOf({ client }) {
  return client instanceof LongPollClient ? client.requests : 0;
}

/** Each event that has come makes room for the next publication. They must come in order. @type {Begin} */
async function events(session, publisher) {
  await session.subscribe(TOPIC);
  let sent = 0;
  let received = 0;
  return (count) =>
    new Promise((resolve, reject) => {
      const last = received + count;
      const publish = () => {
        publisher.send([PUBLISH, publisher.nextRequestId(), {}, TOPIC, ['Hello', sent]]);
        sent += 1;
      };
      session.handlers.set(EVENT, ([, , , , args]) => {
        const number = Array.isArray(args) ? args[1] : undefined;
        if (number !== received) reject(new Error(`event ${number} came in the place of ${received}`));
        received += 1;
        if (sent < last) publish();
        else if (received === last) resolve();
      });
      for (const { client } of [session, publisher]) client.onEnd = reject;
      while (sent < Math.min(last, received + UNDER_WAY)) publish();
    });
}

/** @type {Begin} */
async function calls(session) {
  return (count) =>
    inWorkers(count, async () => {
      const sessions = await session.call(PROCEDURE);
      if (sessions !== 2) throw new Error(`${PROCEDURE} answered ${sessions}`);
    });
}
