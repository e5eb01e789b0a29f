/**
 * The things whose memory is measured: how many, on which node, and how one makes them. To add a kind, add an entry.
 */
import { openMany, WampSession } from './load/wamp-session.js';
import { Violations } from './load/sequence.js';
import { MqttClient } from './mqtt/client.js';
import { startOurs } from './mqtt/servers.js';

const REALM = 'realm1';
/** Requests under way while things are made. */
const AT_ONCE = 50;
const PAYLOAD = 'x'.repeat(20);
const SETTLE_POLL_MS = 20;

/**
 * @typedef {object} Maker
 * @property {(count: number) => Promise<void>} make that many more; resolves when the node has them and nothing else
 * @property {() => void} leave ends what keeps the things alive
 *
 * @typedef {object} Kind
 * @property {string} name for `--only`
 * @property {string} title
 * @property {number} usual how many are made, twice
 * @property {boolean} [perConnection] whether each takes a connection, of which there cannot be as many as one likes
 * @property {import('./node-config.js').NodeSettings} node
 * @property {() => Promise<import('./servers.js').Server>} [start] another node
 * @property {(url: URL) => Promise<Maker>} begin
 */

/** @type {readonly Kind[]} */
export const KINDS = [
  sessions('session', 'idle session, no cookie', 'none'),
  sessions('session-memory', 'idle session with its own cookie, memory', 'memory'),
  sessions('session-file', 'idle session with its own cookie, file', 'file'),
  mqttClients('mqtt', 'idle client of MQTT', true),
  mqttClients('mqtt-kept', 'kept client of MQTT that is away, with one subscription', false),
  requests('subscription', 'subscription', (session, n) => session.subscribe(`${uri(n)}.topic`)),
  requests('subscription-prefix', 'prefix subscription', (session, n) =>
    session.subscribe(`${uri(n)}.topic.`, { match: 'prefix' }),
  ),
  requests('subscription-wildcard', 'wildcard subscription', (session, n) =>
    session.subscribe(`${uri(n)}..topic`, { match: 'wildcard' }),
  ),
  requests('registration', 'registration', (session, n) => session.register(`${uri(n)}.procedure`)),
  // There is room for 10,000 by default.
  requests(
    'retained',
    'retained event of 20 bytes',
    (session, n) => session.publish(`${uri(n)}.topic`, { retain: true }, [PAYLOAD]),
    5000,
  ),
  cookies('memory', 'cookie, memory'),
  cookies('file', 'cookie, file'),
  cookies('database', 'cookie, database'),
];

/**
 * @param {string} name
 * @param {string} title
 * @param {'none' | 'memory' | 'file'} cookie
 * @returns {Kind}
 */
function sessions(name, title, cookie) {
  const begin = (/** @type {URL} */ url) => {
    const open = () => WampSession.open(url, REALM, new Violations());
    const all = /** @type {WampSession[]} */ ([]);
    return Promise.resolve({
      make: async (/** @type {number} */ count) => void all.push(...(await openMany(count, open))),
      leave: () => all.forEach(({ client }) => client.drop()),
    });
  };
  return { name, title, usual: 4000, perConnection: true, node: { cookie }, begin };
}

/**
 * Clients of MQTT: connected, or gone with what is kept for them.
 *
 * @param {string} name
 * @param {string} title
 * @param {boolean} isConnected
 * @returns {Kind}
 */
function mqttClients(name, title, isConnected) {
  const begin = (/** @type {URL} */ url) => {
    const all = /** @type {MqttClient[]} */ ([]);
    let made = 0;
    const open = async () => {
      const id = `client${made++}`;
      const client = await MqttClient.connect(Number(url.port), { id, clean: isConnected });
      if (isConnected) return client;
      await client.subscribe(`bench/memory/${id}`, 1);
      await client.leave();
      return client;
    };
    return Promise.resolve({
      make: async (/** @type {number} */ count) => {
        for (let left = count; left > 0; left -= AT_ONCE) {
          all.push(...(await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, open))));
        }
      },
      leave: () => all.forEach((client) => client.drop()),
    });
  };
  return { name, title, usual: 4000, perConnection: true, node: { cookie: 'none' }, start: startOurs, begin };
}

/**
 * Things that one session makes by asking for them.
 *
 * @param {string} name
 * @param {string} title
 * @param {(session: WampSession, n: number) => Promise<unknown>} ask
 * @param {number} [usual]
 * @returns {Kind}
 */
function requests(name, title, ask, usual = 20_000) {
  const begin = async (/** @type {URL} */ url) => {
    const session = await WampSession.open(url, REALM, new Violations());
    let made = 0;
    const make = async (/** @type {number} */ count) => {
      const end = made + count;
      const asker = async () => {
        while (made < end) await ask(session, made++);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, asker));
    };
    return { make, leave: () => session.client.drop() };
  };
  return { name, title, usual, node: { cookie: 'none' }, begin };
}

/**
 * Browsers that came once: the session has gone, the cookie stays.
 *
 * @param {'memory' | 'file' | 'database'} store
 * @param {string} title
 * @returns {Kind}
 */
function cookies(store, title) {
  const begin = async (/** @type {URL} */ url) => {
    const open = () => WampSession.open(url, REALM, new Violations());
    const observer = await open();
    const visit = async () => {
      const session = await open();
      session.client.drop();
      return session;
    };
    const make = async (/** @type {number} */ count) => {
      await openMany(count, visit);
      while ((await observer.call('wamp.session.count')) > 1) await new Promise((go) => setTimeout(go, SETTLE_POLL_MS));
    };
    return { make, leave: () => observer.client.drop() };
  };
  return { name: `cookie-${store}`, title, usual: 5000, node: { cookie: store }, begin };
}

/** @param {number} n */
function uri(n) {
  return `bench.memory.${String(n).padStart(6, '0')}`;
}
