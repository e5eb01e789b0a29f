/**
 * What is measured: one entry per row of the table. An entry says which load to drive at the router, and which bare `ws`
 * server and load it is compared with. To add a measurement, add an entry.
 */

/**
 * @typedef {object} Baseline
 * @property {'echo' | 'broadcast' | 'accept'} server see baseline.js
 * @property {readonly string[]} load flags for load.js
 * @property {number} unitsPerRouterUnit how many of its units stand against one of the router's
 * @property {string} name for the table
 *
 * @typedef {object} Scenario
 * @property {string} name for `--scenario`
 * @property {string} title for the table
 * @property {string} unit what the CPU is divided by
 * @property {readonly string[]} load flags for load.js
 * @property {'none' | 'memory' | 'file'} cookie the cookie store of the router's node
 * @property {Baseline} baseline scenarios that share this object share its measurements
 */

/**
 * @param {string} name
 * @param {string} title
 * @param {number} payload
 * @returns {Scenario}
 */
function call(name, title, payload) {
  const load = ['--window', '64', '--payload', String(payload)];
  return {
    name,
    title,
    unit: 'call',
    load: ['--kind', 'rpc', ...load],
    cookie: 'none',
    // A call goes through the router twice: there and back.
    baseline: { server: 'echo', load: ['--kind', 'echo', ...load], unitsPerRouterUnit: 2, name: 'ws, two echoes' },
  };
}

/**
 * @param {string} name
 * @param {string} title
 * @param {{ subscribers: number, window: number, payload: number }} load
 * @returns {Scenario}
 */
function publication(name, title, { subscribers, window, payload }) {
  const load = ['--subscribers', String(subscribers), '--window', String(window), '--payload', String(payload)];
  return {
    name,
    title,
    unit: 'event',
    load: ['--kind', 'publish', ...load],
    cookie: 'none',
    baseline: {
      server: 'broadcast',
      load: ['--kind', 'broadcast', ...load],
      unitsPerRouterUnit: 1,
      name: 'ws, broadcast',
    },
  };
}

const CONNECT = ['--kind', 'connect', '--concurrency', '16'];
/** @type {Baseline} */
const ACCEPT = { server: 'accept', load: CONNECT, unitsPerRouterUnit: 1, name: 'ws, accept' };
const IDLE = ['--kind', 'idle'];

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  call('rpc', 'call, 20 B', 20),
  call('rpc-1k', 'call, 1 KiB', 1024),
  publication('pubsub1', 'event to 1, 20 B', { subscribers: 1, window: 32, payload: 20 }),
  publication('pubsub100', 'event to 100, 8 under way, 20 B', { subscribers: 100, window: 8, payload: 20 }),
  publication('pubsub100-1k', 'event to 100, 8 under way, 1 KiB', { subscribers: 100, window: 8, payload: 1024 }),
  publication('pubsub100-single', 'event to 100, 1 under way, 20 B', { subscribers: 100, window: 1, payload: 20 }),
  publication('pubsub100-single-1k', 'event to 100, 1 under way, 1 KiB', {
    subscribers: 100,
    window: 1,
    payload: 1024,
  }),
  { name: 'connect', title: 'connect, no cookie', unit: 'connection', load: CONNECT, cookie: 'none', baseline: ACCEPT },
  {
    name: 'connect-memory',
    title: 'connect, new cookie, memory',
    unit: 'connection',
    load: CONNECT,
    cookie: 'memory',
    baseline: ACCEPT,
  },
  {
    name: 'connect-file',
    title: 'connect, new cookie, durable file',
    unit: 'connection',
    load: CONNECT,
    cookie: 'file',
    baseline: ACCEPT,
  },
  {
    name: 'idle',
    title: 'idle session',
    unit: 'session',
    load: IDLE,
    cookie: 'none',
    baseline: { server: 'accept', load: IDLE, unitsPerRouterUnit: 1, name: 'ws, accept' },
  },
];
