#!/usr/bin/env node
/**
 * `npm run bench:bridge`: what a request to the HTTP bridge costs the router: a publication, unsigned and signed, and a call of a
 * procedure of the router. Clients keep their connections, as programs with a pool do. The node is fresh for each kind.
 */
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { CONNECTIONS, exchange, inWorkers, microsOfEach, runBench } from './requests.js';
import { startConfigured } from './servers.js';

const SECRET = 'the secret of the bench';
const PUBLISH = JSON.stringify({ topic: 'com.example.bench', args: ['Hello', 23] });
const CALL = JSON.stringify({ procedure: 'wamp.session.count' });

/** @typedef {{ title: string, path: string, body: string, isSigned: boolean }} Kind */

/** @type {readonly Kind[]} */
const KINDS = [
  { title: 'a page of a few bytes', path: '/value', body: '', isSigned: false },
  { title: 'a publication', path: '/publish', body: PUBLISH, isSigned: false },
  { title: 'a signed publication', path: '/signed', body: PUBLISH, isSigned: true },
  { title: 'a call', path: '/call', body: CALL, isSigned: false },
];

let sequence = 0;

await runBench({
  name: 'bridge',
  what: 'requests',
  requests: 20_000,
  head: ['request', 'CPU µs of the router'],
  rows: KINDS.map((kind) => ({ title: kind.title, measure: (count) => measure(kind, count) })),
});

/**
 * @param {Kind} kind
 * @param {number} count
 */
async function measure(kind, count) {
  const server = await startConfigured(config());
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let micros = 0;
  let problem;
  try {
    const place = new URL(server.url);
    micros = await microsOfEach(server.pid, count, (n) => inWorkers(n, () => ask(place, agent, kind)));
  } finally {
    agent.destroy();
    problem = await server.stop();
  }
  return { micros, problem };
}

function config() {
  const allow = { call: true, register: true, publish: true, subscribe: true };
  const realm = { name: 'realm1', roles: [{ name: 'anonymous', permissions: [{ uri: '*', allow }] }] };
  const service = { realm: 'realm1', role: 'anonymous' };
  const paths = {
    '/': { type: 'nodeinfo' },
    value: { type: 'json', value: { id: 1 } },
    ws: { type: 'websocket' },
    publish: { type: 'publisher', ...service },
    signed: { type: 'publisher', ...service, options: { key: 'bench', secret: SECRET } },
    call: { type: 'caller', ...service },
  };
  const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 };
  return { version: 2, workers: [{ type: 'router', realms: [realm], transports: [{ type: 'web', endpoint, paths }] }] };
}

/**
 * @param {URL} place
 * @param {http.Agent} agent
 * @param {Kind} kind
 */
async function ask({ hostname, port }, agent, { path, body, isSigned }) {
  const headers = body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const target = { hostname, port, agent, headers, path: isSigned ? `${path}?${signed(body)}` : path };
  const { status, text } = await exchange({ ...target, method: body === '' ? 'GET' : 'POST' }, body);
  if (status !== 200 || text.includes('"error"')) throw new Error(`${path} answered ${status}: ${text}`);
}

/** @param {string} body */
function signed(body) {
  sequence += 1;
  const parts = { key: 'bench', timestamp: new Date().toISOString(), seq: String(sequence), nonce: '1' };
  const signature = createHmac('sha256', SECRET)
    .update(`${Object.values(parts).join('')}${body}`)
    .digest('base64url');
  return new URLSearchParams({ ...parts, signature }).toString();
}
