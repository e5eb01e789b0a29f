/** A thousand requests at once through a node: all are answered, those that are given up are given up behind it, and nothing is left. */
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

const THOUSAND = 1000;

let node: Daemon;
let backend: Server;
/** What the backend was asked and has not answered. */
let held: { readonly req: IncomingMessage; readonly res: ServerResponse }[] = [];
let onHeld: () => void = () => undefined;

beforeAll(async () => {
  backend = createServer((req, res) => {
    held.push({ req, res });
    onHeld();
  });
  backend.keepAliveTimeout = 0;
  backend.listen({ host: '127.0.0.1', port: 0, backlog: 2 * THOUSAND });
  await once(backend, 'listening');
  const { port } = backend.address() as AddressInfo;
  node = await startDaemon({
    config: nodeConfig({ paths: { app: { type: 'reverseproxy', host: '127.0.0.1', port } } }),
    openFiles: 4096,
  });
});
afterAll(async () => {
  await node.dispose();
  backend.close();
  backend.closeAllConnections();
});

function socketsOfNode(): number {
  return readdirSync(`/proc/${node.pid}/fd`).length;
}

/** The end of a connection of another process has no event: looks again and again. */
async function untilAsBefore(files: number): Promise<void> {
  while (socketsOfNode() > files) await delay(10);
}

async function untilHeld(count: number): Promise<void> {
  while (held.length < count) await new Promise<void>((resolve) => (onHeld = resolve));
}

interface Asked {
  readonly answered: Promise<string>;
  readonly giveUp: () => void;
}

function ask(path: string): Asked {
  // A connection for each.
  const asking = request(node.url(path), { agent: false, method: 'POST' });
  const answered = new Promise<string>((resolve, reject) => {
    asking.once('error', reject);
    asking.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.once('end', () => resolve(text)).once('error', reject);
    });
  });
  asking.end(path);
  return { answered, giveUp: () => asking.destroy() };
}

it('answers a thousand requests that are all under way at once, each with its own', async () => {
  const files = socketsOfNode();
  const asked = Array.from({ length: THOUSAND }, (_, index) => ask(`/app/${String(index)}`));
  await untilHeld(THOUSAND);
  for (const { req, res } of held.splice(0)) {
    res.write(`${req.url ?? ''} `);
    req.pipe(res);
  }
  const answers = await Promise.all(asked.map(({ answered }) => answered));
  expect(answers).toEqual(asked.map((_, index) => `/${String(index)} /app/${String(index)}`));
  // The connections that the node keeps for more.
  backend.closeIdleConnections();
  await untilAsBefore(files);
});

it('gives up behind it what clients give up, before and in the middle of the answer', async () => {
  const files = socketsOfNode();
  const asked = Array.from({ length: THOUSAND }, (_, index) => ask(`/app/${String(index)}`));
  await untilHeld(THOUSAND);
  const gone = held.map(({ res }) => once(res, 'close'));
  for (const [index, { res }] of held.entries()) if (index % 2 === 0) res.write('the beginning');
  held = [];
  for (const { giveUp } of asked) giveUp();
  const outcomes = await Promise.allSettled(asked.map(({ answered }) => answered));
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
  await Promise.all(gone);
  await untilAsBefore(files);
  // Others are served as before.
  const next = ask('/app/next');
  await untilHeld(1);
  held.splice(0)[0]?.res.end('next');
  expect(await next.answered).toBe('next');
});

it('tells those who are too many, and forgets them', async () => {
  const files = socketsOfNode();
  const asked = Array.from({ length: THOUSAND + 50 }, (_, index) => ask(`/app/${String(index)}`));
  await untilHeld(THOUSAND);
  // The backend has answered nobody yet.
  const refused = await new Promise<readonly string[]>((resolve) => {
    const texts: string[] = [];
    for (const { answered } of asked) void answered.then((text) => texts.push(text) === 50 && resolve([...texts]));
  });
  expect(refused.filter((text) => text.startsWith('503 Service Unavailable'))).toHaveLength(50);
  for (const { res } of held.splice(0)) res.end('served');
  const answers = await Promise.all(asked.map(({ answered }) => answered));
  expect(answers.filter((text) => text === 'served')).toHaveLength(THOUSAND);
  backend.closeIdleConnections();
  await untilAsBefore(files);
});
