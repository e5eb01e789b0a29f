/** What the config says of the end of a node (`drain`), as load balancers and clients see it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { ControlClient } from '../../src/node/control.js';
import { RemoteNode } from '../../src/node/process-control.js';
import { runCli, startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { mailbox } from '../support/mailbox.js';
import { nodeConfig } from '../support/node-config.js';
import type { NodeConfigParts } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const running: Daemon[] = [];
afterEach(() => Promise.all(running.splice(0).map((daemon) => daemon.dispose())));

async function started(drain: object, parts: NodeConfigParts = {}): Promise<Daemon> {
  const paths = { readyz: { type: 'readyz' }, healthz: { type: 'healthz' }, ...parts.paths };
  const daemon = await startDaemon({
    config: { ...nodeConfig({ ...parts, paths }), controller: { options: { drain } } },
  });
  running.push(daemon);
  return daemon;
}

const NEAR = 'the end is near: clients are served as before until load balancers have noticed';

it('with a delay goes on as before and says that it is not ready; a second signal ends it at once', async () => {
  const daemon = await started({ delay: 600 });
  const early = await WampClient.join(daemon.url('/ws', 'ws'));
  const before = await fetch(daemon.url('/readyz'));
  expect([before.status, before.headers.get('connection')]).toEqual([200, 'keep-alive']);
  await before.text();
  daemon.signal('SIGTERM');
  expect(await daemon.waitForLog(NEAR)).toMatchObject({ level: 'info', delayMs: 600_000 });
  const answer = await fetch(daemon.url('/readyz'));
  expect([answer.status, answer.headers.get('connection')]).toEqual([503, 'close']);
  expect(await answer.json()).toMatchObject({ checks: { stop: 'the node is stopping' } });
  expect((await fetch(daemon.url('/healthz'))).status).toBe(200);
  // Those who come and those who are there are served.
  const late = await WampClient.join(daemon.url('/ws', 'ws'));
  await late.ask([32, 1, {}, 'com.example.news']);
  expect((await early.ask([16, 2, { acknowledge: true }, 'com.example.news']))[0]).toBe(17);
  expect((await late.next())[0]).toBe(36);
  expect((await runCli(['status', '--cbdir', daemon.cbdir, '--assert', 'ready'])).code).toBe(69);
  daemon.signal('SIGTERM');
  expect(await daemon.exited).toEqual({ code: 143, signal: null });
});

it('ends when the delay is over, also where `stop` asked for it', async () => {
  const daemon = await started({ delay: 0.3 });
  const client = await WampClient.join(daemon.url('/ws', 'ws'));
  const [stopped, { code }] = await Promise.all([runCli(['stop', '--cbdir', daemon.cbdir]), client.closed]);
  expect(code).toBe(1001);
  expect(stopped).toMatchObject({ code: 0, stderr: '' });
  const messages = daemon.logs.map(({ msg }) => msg);
  expect(messages.indexOf(NEAR)).toBeLessThan(messages.indexOf('closing connections'));
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
});

it('tells `stop` how long it may take', async () => {
  const daemon = await started({ delay: 120, spread: 60, calls: 7 });
  const client = await ControlClient.connect(daemon.cbdir);
  if (client === undefined) throw new Error('the node has no control socket');
  expect(await new RemoteNode(client).longestEndMs()).toBe(192_000);
  client.close();
});

it('lets a call be answered for as long as the config says', async () => {
  const daemon = await started({ calls: 0 });
  const client = await WampClient.join(daemon.url('/ws', 'ws'));
  await client.ask([64, 1, {}, 'com.example.never']);
  client.send([48, 2, {}, 'com.example.never']);
  await client.next();
  daemon.signal('SIGTERM');
  expect((await client.closed).code).toBe(1001);
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
});

it('lets a request of HTTP finish that is under way, as the last one of its connection', async () => {
  const asked = mailbox<ServerResponse>();
  const backend = createServer((_req, res) => asked.put(res)).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const { port } = backend.address() as AddressInfo;
  const paths = { app: { type: 'reverseproxy', host: '127.0.0.1', port } };
  const daemon = await started({}, { paths });
  const answer = fetch(daemon.url('/app'));
  const due = await asked.take();
  const client = await WampClient.join(daemon.url('/ws', 'ws'));
  daemon.signal('SIGTERM');
  await client.closed;
  due.end('answered');
  expect((await answer).headers.get('connection')).toBe('close');
  expect(await (await answer).text()).toBe('answered');
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  backend.close();
});
