/** Components that speak HTTP, in the real daemon: in the node and in a container, under their words and under the class names of Crossbar.io. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { configWith } from '../support/node-directory.js';
import { RestServer } from '../support/rest-server.js';
import { WampClient } from '../support/wamp-client.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

const daemons: Daemon[] = [];
afterAll(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

let server: RestServer;
beforeEach(async () => void (server = await RestServer.start()));
afterEach(() => server.stop());

/** A socket in the file system, which components of a container know before the node starts. */
const RAW = { type: 'unix', path: 'raw.sock' };

/** No Python anywhere: what needs one would not start. */
const env = { PATH: path.dirname(process.execPath), VIRTUAL_ENV: '/nowhere' };

async function started(components: readonly object[], isContained: boolean): Promise<Daemon> {
  const transports = [{ type: 'rawsocket', endpoint: RAW }];
  const config = configWith(isContained ? [] : components, { transports }) as { readonly workers: readonly object[] };
  const transport = { type: 'rawsocket', endpoint: RAW, serializer: 'cbor' };
  const contained = components.map((component) => ({ realm: 'realm1', transport, ...component }));
  const box = { type: 'container', id: 'box', components: contained };
  const daemon = await startDaemon({
    config: isContained ? { ...config, workers: [...config.workers, box] } : config,
    env,
  });
  daemons.push(daemon);
  return daemon;
}

const callee = (more: object = {}): object => ({
  ...{ type: 'class', classname: 'crossbar.bridge.rest.RESTCallee' },
  extra: { baseurl: server.origin, procedure: 'com.example.http' },
  ...more,
});

const forwarder = (more: object = {}): object => ({
  ...{ type: 'class', classname: 'crossbar.adapter.rest.MessageForwarder' },
  extra: {
    subscriptions: [{ topic: 'com.example.', match: 'prefix', url: `${server.origin}/hook` }],
    ...{ method: 'POST', expectedcode: 204, debug: true },
  },
  ...more,
});

const join = (daemon: Daemon) => WampClient.join(daemon.url('/ws', 'ws'));

describe.each([false, true])('components of the node (in a container: %s)', (isContained) => {
  it('make requests of calls, and need no Python', async () => {
    const daemon = await started([callee()], isContained);
    const client = await join(daemon);
    const kwargs = { method: 'POST', url: '/echo', body: 'ä', headers: { 'X-A': ['b'] }, params: { q: '1' } };
    const [type, , , [result] = []] = (await client.ask([48, 1, {}, 'com.example.http', [], kwargs])) as [
      number,
      number,
      object,
      [{ code: number; content: string; headers: object }]?,
    ];
    expect([type, result?.code]).toEqual([50, 200]);
    expect(result?.headers).toMatchObject({ 'Content-Type': ['application/json'], 'Set-Cookie': ['a=1', 'b=2'] });
    const seen: unknown = JSON.parse(result?.content ?? '');
    expect(seen).toMatchObject({ method: 'POST', url: '/echo?q=1', body: 'ä', headers: { 'x-a': 'b' } });
    const away = await client.ask([48, 2, {}, 'com.example.http', ['GET', 'http://localhost:1/']]);
    expect(away.slice(4)).toEqual(['wamp.error.runtime_error', ['The "url" leads to another server.']]);
    const huge = await client.ask([48, 3, {}, 'com.example.http', ['GET', 'huge']]);
    expect(huge[5]).toEqual(['The answer of the server has more than 1048576 bytes.']);
    expect(daemon.logs.filter(({ versions }) => JSON.stringify(versions ?? '').includes('python'))).toEqual([]);
    expect(await daemon.stop()).toBe(0);
  });

  it('forward events, in order', async () => {
    const daemon = await started([forwarder()], isContained);
    const client = await join(daemon);
    for (let n = 0; n < 20; n++) client.send([16, n + 1, {}, `com.example.t${n}`, [n], { even: n % 2 === 0 }]);
    for (let n = 0; n < 20; n++) {
      const { body, headers } = await server.requests.take();
      expect(JSON.parse(body)).toEqual({ args: [n], kwargs: { even: n % 2 === 0 } });
      expect(headers['x-wamp-topic']).toBe(`com.example.t${n}`);
    }
    expect(server.mostOpen).toBe(1);
    server.answers.push((res) => res.writeHead(200).end());
    client.send([16, 21, {}, 'com.example.odd']);
    const told = await daemon.waitForLog((line) =>
      JSON.stringify(line).includes('event not forwarded to an HTTP server'),
    );
    expect(told).toMatchObject({ level: 'error', component: 'component001' });
    expect(await daemon.stop()).toBe(0);
  });

  it('stop in the middle of what they do', async () => {
    const daemon = await started([callee(), forwarder()], isContained);
    const client = await join(daemon);
    client.send([48, 1, {}, 'com.example.http', ['GET', 'silent']]);
    await server.requests.take();
    server.answers.push(() => undefined);
    client.send([16, 2, {}, 'com.example.x']);
    await server.requests.take();
    expect(await daemon.stop()).toBe(0);
    expect([await server.cut.take(), await server.cut.take()].sort()).toEqual(['/hook', '/silent']);
    expect(daemon.logs.map(({ msg }) => msg)).not.toContain('component failed to stop');
    expect(daemon.stderr).toBe('');
  });

  it('have words of ours', async () => {
    const daemon = await started(
      [
        callee({ type: 'callee', classname: undefined, id: 'http' }),
        forwarder({ type: 'subscriber', classname: undefined }),
      ],
      isContained,
    );
    const client = await join(daemon);
    const result = await client.ask([48, 1, {}, 'com.example.http', ['GET', 'missing']]);
    expect(result[3]).toMatchObject([{ code: 404, content: 'not here' }]);
    await server.requests.take();
    client.send([16, 2, {}, 'com.example.x']);
    expect(await server.requests.take()).toMatchObject({ url: '/hook' });
    await daemon.stop();
  });
});

it('a container starts its components again when the router has thrown them out', async () => {
  const transports = [{ type: 'rawsocket', endpoint: RAW }];
  const config = configWith([], { transports }) as { readonly workers: readonly object[] };
  const transport = { type: 'rawsocket', endpoint: RAW, serializer: 'cbor' };
  const box = {
    type: 'container',
    options: { restart: 'restart-always' },
    components: [{ realm: 'realm1', transport, ...callee() }],
  };
  const daemon = await startDaemon({ config: { ...config, workers: [...config.workers, box] }, env });
  daemons.push(daemon);
  const client = await join(daemon);
  const [, , , [ids] = []] = (await client.ask([48, 1, {}, 'wamp.session.list'])) as [
    number,
    number,
    object,
    [number[]]?,
  ];
  const other = ids?.find((id) => id !== client.sessionId);
  await client.ask([48, 2, {}, 'wamp.session.kill', [other]]);
  const isUp = (): boolean => daemon.logs.filter(({ msg }) => msg === 'component started').length === 2;
  await daemon.waitForLog(isUp);
  expect((await client.ask([48, 3, {}, 'com.example.http', ['GET', 'missing']]))[3]).toMatchObject([{ code: 404 }]);
});

it('the sample does what it says', async () => {
  const text = readFileSync(path.join(ROOT, 'config/rest-components.json'), 'utf8')
    .replace('"port": 8080', '"port": 0, "interface": "127.0.0.1"')
    .replaceAll(/https:\/\/(?:api|hooks)\.example\.com/g, server.origin);
  const daemon = await startDaemon({ config: text, env });
  daemons.push(daemon);
  const client = await join(daemon);
  await client.ask([48, 1, {}, 'com.example.weather', ['GET', 'berlin']]);
  expect(await server.requests.take()).toMatchObject({ method: 'GET', url: '/weather/berlin' });
  client.send([16, 2, {}, 'com.example.order.paid', [7]]);
  expect(await server.requests.take()).toMatchObject({ url: '/orders', body: '{"args":[7],"kwargs":{}}' });
});
