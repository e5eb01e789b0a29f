/** A node in front of other servers: another node with WAMP clients, large bodies, and its own end. */
import { createHash } from 'node:crypto';
import { createServer, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(config: object, probed = false): Promise<Daemon> {
  const node = await startDaemon({ config, probed });
  cleanups.push(() => node.dispose());
  return node;
}

describe('a node in front of another node', () => {
  it('lets clients of WAMP join through either service, and shows the backend who they are', async () => {
    const options = { trusted_proxies: ['loopback'] };
    const behind = await start(nodeConfig({ websocket: { cookie: { name: 'theirs' } }, transport: { options } }));
    const front = await start(
      nodeConfig({
        websocket: { cookie: {} },
        paths: {
          app: { type: 'reverseproxy', host: '127.0.0.1', port: behind.port },
          other: { type: 'websocket-reverseproxy', backend: { type: 'websocket', url: behind.url('/ws', 'ws') } },
        },
      }),
    );
    for (const path of ['/app/ws', '/other']) {
      const client = await WampClient.connect(front.url(path, 'ws'), { headers: { cookie: 'cbtid=secret; theirs=x' } });
      expect(client.handshake.setCookie.join()).toMatch(/^theirs=/);
      const { welcome } = await client.hello();
      expect(welcome.authid).toBeDefined();
      client.socket.terminate();
    }
    expect(behind.output).not.toContain('secret');
    expect(front.output).not.toContain('secret');
  });
});

describe('large bodies', () => {
  it('go through both ways without staying in memory', async () => {
    const size = 100 * 1024 * 1024;
    const backend = createServer((req, res) => {
      res.setHeader('Content-Length', String(req.headers['content-length']));
      req.pipe(res);
    }).listen(0, '127.0.0.1');
    cleanups.push(() => backend.close());
    await once(backend, 'listening');
    const { port } = backend.address() as AddressInfo;
    const front = await start(nodeConfig({ paths: { app: { type: 'reverseproxy', host: '127.0.0.1', port } } }));
    const hashes = [createHash('sha256'), createHash('sha256')] as const;
    const req = request(front.url('/app/x'), { method: 'PUT', headers: { 'Content-Length': size } });
    const answered = once(req, 'response') as Promise<[IncomingMessage]>;
    const chunk = Buffer.alloc(1024 * 1024, 'crossbar');
    const sent = (async () => {
      for (let at = 0; at < size; at += chunk.length) {
        hashes[0].update(chunk);
        if (!req.write(chunk)) await once(req, 'drain');
      }
      req.end();
    })();
    const [res] = await answered;
    let received = 0;
    for await (const piece of res as AsyncIterable<Buffer>) {
      received += piece.length;
      hashes[1].update(piece);
    }
    await sent;
    expect(received).toBe(size);
    expect(hashes[1].digest('hex')).toBe(hashes[0].digest('hex'));
    const { readFileSync } = await import('node:fs');
    const peakKb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${front.pid}/status`, 'utf8'))?.[1]);
    expect(peakKb).toBeLessThan(220 * 1024);
  });
});
