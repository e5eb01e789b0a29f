#!/usr/bin/env node
/**
 * `npm run bench:bridge`: what a request to the HTTP bridge costs the router: a publication, unsigned and signed, and a call of a
 * procedure of the router. Clients keep their connections, as programs with a pool do. The node is fresh for each kind.
 */
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { parseArgs } from 'node:util';
import { machine } from './machine.js';
import { platformProblem, usage } from './proc.js';
import { buildProblem, startConfigured } from './servers.js';
import { markdownTable } from './table.js';

const CONNECTIONS = 16;
/** A part of the requests comes before, for the compiler. */
const WARM_UP = 0.25;
const SECRET = 'the secret of the bench';
const PUBLISH = JSON.stringify({ topic: 'com.example.bench', args: ['Hello', 23] });
const CALL = JSON.stringify({ procedure: 'wamp.session.count' });

const USAGE = `usage: npm run bench:bridge -- [flags]
  --requests N  requests in a run (20000)
  --runs N      runs of each kind (3)`;

/** @typedef {{ title: string, path: string, body: string, isSigned: boolean }} Kind */

/** @type {readonly Kind[]} */
const KINDS = [
  { title: 'a page of a few bytes', path: '/value', body: '', isSigned: false },
  { title: 'a publication', path: '/publish', body: PUBLISH, isSigned: false },
  { title: 'a signed publication', path: '/signed', body: PUBLISH, isSigned: true },
  { title: 'a call', path: '/call', body: CALL, isSigned: false },
];

await main();

async function main() {
  const options = readOptions();
  if (options === undefined) return;
  const problem = platformProblem() ?? buildProblem();
  if (problem !== undefined) return refuse(problem);
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const problems = /** @type {string[]} */ ([]);
  const micros = new Map(KINDS.map((kind) => [kind, /** @type {number[]} */ ([])]));
  for (let run = 0; run < options.runs; run += 1) {
    for (const [kind, results] of micros) results.push(await measure(kind, options.requests, problems));
  }
  const rows = [...micros].map(([{ title }, results]) => {
    const sorted = results.sort((a, b) => a - b);
    const each = sorted[sorted.length >> 1] ?? 0;
    return [title, `${each.toFixed(0)} (${sorted[0]?.toFixed(0) ?? ''}-${sorted.at(-1)?.toFixed(0) ?? ''})`];
  });
  process.stdout.write(`median (lowest-highest) of runs with ${options.requests} requests each\n\n`);
  process.stdout.write(markdownTable(['request', 'CPU µs of the router'], rows));
  for (const line of problems) process.stdout.write(`\nPROBLEM ${line}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        requests: { type: 'string', default: '20000' },
        runs: { type: 'string', default: '3' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return void process.stdout.write(`${USAGE}\n`);
    return { requests: wholeNumber('--requests', values.requests), runs: wholeNumber('--runs', values.runs) };
  } catch (error) {
    return void refuse(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

/** @param {string} flag @param {string} text */
function wholeNumber(flag, text) {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 80_000) return number;
  throw new Error(`${flag} is a whole number from 1 to 80000, not "${text}"`);
}

/** @param {string} reason */
function refuse(reason) {
  process.stderr.write(`bridge: ${reason}\n`);
  process.exitCode = 2;
}

/**
 * @param {Kind} kind
 * @param {number} count
 * @param {string[]} problems
 * @returns {Promise<number>} microseconds of processor time for one
 */
async function measure(kind, count, problems) {
  const server = await startConfigured(config());
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const place = new URL(server.url);
    await ask(place, agent, kind, Math.ceil(count * WARM_UP));
    const start = cpuMicros(server.pid);
    await ask(place, agent, kind, count);
    return (cpuMicros(server.pid) - start) / count;
  } finally {
    agent.destroy();
    const problem = await server.stop();
    if (problem !== undefined) problems.push(`${kind.title}: ${problem}`);
  }
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

let sequence = 0;

/**
 * @param {URL} place
 * @param {http.Agent} agent
 * @param {Kind} kind
 * @param {number} count
 */
async function ask(place, agent, kind, count) {
  let left = count;
  const oneAfterTheOther = async () => {
    while (left > 0) {
      left -= 1;
      await askOnce(place, agent, kind);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, oneAfterTheOther));
}

/**
 * @param {URL} place
 * @param {http.Agent} agent
 * @param {Kind} kind
 * @returns {Promise<void>}
 */
function askOnce({ hostname, port }, agent, { path, body, isSigned }) {
  const headers = body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const options = { hostname, port, agent, path: isSigned ? `${path}?${signed(body)}` : path, headers };
  return new Promise((resolve, reject) => {
    const request = http.request({ ...options, method: body === '' ? 'GET' : 'POST' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        if (response.statusCode === 200 && !text.includes('"error"')) resolve();
        else reject(new Error(`${path} answered ${response.statusCode}: ${text}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
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

/** @param {number} pid */
function cpuMicros(pid) {
  const { schedMicros, tickMicros } = usage([pid]);
  return schedMicros ?? tickMicros;
}
