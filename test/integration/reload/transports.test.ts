/** A reload adds, changes and removes transports: what goes is drained as by a node that stops, and nothing else ends. */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { Certificates } from '../../support/certificates.js';
import {
  busyClients,
  CLOSED,
  configOf,
  expectServed,
  getFrom,
  joinAt,
  page,
  WEBSOCKET,
  webAt,
} from '../../support/changing-places.js';
import { temporaryDirectory } from '../../support/daemon.js';
import { RawSocketClient } from '../../support/rawsocket-client.js';
import { endpointAt, ReloadedDaemon } from '../../support/reloading.js';
import { WampClient } from '../../support/wamp-client.js';

const rawSocket = (port: number): object => ({ type: 'rawsocket', id: 'raw', endpoint: endpointAt(port) });

const running: ReloadedDaemon[] = [];
afterEach(() => Promise.all(running.splice(0).map((node) => node.dispose())));

async function start(make: (ports: readonly number[]) => object, portCount = 2) {
  const node = await ReloadedDaemon.start(make, { portCount });
  running.push(node);
  const [one = 0, two = 0] = node.ports;
  return { node, one, two };
}

describe('transports', () => {
  it('come and go, and clients of others notice nothing', async () => {
    const { node, one, two } = await start(([port = 0]) => configOf([webAt(port, { ws: WEBSOCKET })]));
    const client = await joinAt(one);
    await node.take(configOf([webAt(one, { ws: WEBSOCKET }), rawSocket(two)]));
    const raw = await RawSocketClient.join({ port: two });
    await node.take(configOf([webAt(one, { ws: WEBSOCKET })]));
    await raw.closed;
    await raw.silent();
    await expect(RawSocketClient.join({ port: two })).rejects.toThrow('ECONNREFUSED');
    await expectServed(client, 1);
    // The port is free again, also while connections of the old one are drained.
    await node.take(configOf([webAt(one, { ws: WEBSOCKET }), rawSocket(two)]));
    await (await RawSocketClient.join({ port: two })).leave();
  });

  it('have another number in the file when one before them goes, and serve their clients as before', async () => {
    const nameless = (port: number, paths: object = {}): object => ({
      ...webAt(port, { ws: WEBSOCKET, ...paths }),
      id: undefined,
    });
    const { node, one, two } = await start(([port = 0, other = 0]) => configOf([nameless(port), nameless(other)]));
    const [going, staying] = [await joinAt(one), await joinAt(two)];
    await node.take(configOf([nameless(two)]));
    expect(await going.closed).toEqual(CLOSED);
    await expectServed(staying, 1);
    await node.take(configOf([nameless(two, { more: page('more') })]));
    expect(await getFrom(two, '/more')).toBe('more');
    expect(await node.daemon.waitForLog('transport has other paths')).toMatchObject({
      paths: [
        { path: '/ws', type: 'websocket' },
        { path: '/more', type: 'json' },
      ],
    });
    await expect(joinAt(one)).rejects.toThrow('ECONNREFUSED');
    await node.take(configOf([nameless(one), nameless(two, { more: page('more') })]));
    await (await joinAt(one)).leave();
    await (await joinAt(two)).leave();
    await expectServed(staying, 2);
  });

  it('get another port: the new one is open before the old one is drained', async () => {
    const { node, one, two } = await start(([port = 0]) => configOf([webAt(port, { ws: WEBSOCKET })]));
    const { callee, caller, idle, answer } = await busyClients(one, '/ws');
    await node.take(configOf([webAt(two, { ws: WEBSOCKET })]));
    const newcomer = await joinAt(two);
    expect(await idle.closed).toEqual(CLOSED);
    await expect(joinAt(one)).rejects.toThrow('ECONNREFUSED');
    answer();
    expect(await caller.next()).toEqual([50, 1, {}, ['done']]);
    expect(await Promise.all([caller.closed, callee.closed])).toEqual([CLOSED, CLOSED]);
    await expectServed(newcomer, 1);
    // And back again.
    await node.take(configOf([webAt(one, { ws: WEBSOCKET })]));
    await (await joinAt(one)).leave();
  });

  it('that go together are drained together: callees of one are there for callers of the other', async () => {
    const { node, one, two } = await start(([port = 0, other = 0]) =>
      configOf([webAt(port, { ws: WEBSOCKET }), { ...webAt(other, { ws: WEBSOCKET }), id: 'web_two' }], {
        drain: { spread: 2 },
      }),
    );
    const callee = await joinAt(one);
    await callee.ask([64, 1, {}, 'com.example.slow']);
    const callers = await Promise.all([joinAt(two), joinAt(two), joinAt(two)]);
    await node.take(configOf([], { drain: { spread: 2 } }));
    const order: string[] = [];
    await Promise.all([
      callee.closed.then(() => order.push('callee')),
      ...callers.map((caller) => caller.closed.then(() => order.push('caller'))),
    ]);
    // The last caller and the callee are closed in the same moment.
    expect(order.indexOf('callee')).toBeGreaterThanOrEqual(2);
    expect((await node.node.status()).ready).toBe(true);
  });

  it('show another certificate that the config names; connections with the one before go on', async () => {
    const certificates = new Certificates(temporaryDirectory());
    const named = (name: string) => ({
      key: certificates.file(`${name}.key`),
      certificate: certificates.file(`${name}.pem`),
    });
    const { node, one } = await start(([port = 0]) =>
      configOf([webAt(port, { ws: WEBSOCKET }, { tls: named('server') })]),
    );
    const subject = async (): Promise<string> => {
      const socket = connectTls({ port: one, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      return certificate?.subject ?? '';
    };
    const client = await WampClient.join(`wss://127.0.0.1:${one}/ws`, 'realm1', {
      tls: { rejectUnauthorized: false },
    });
    expect(await subject()).toBe('CN=server');
    await node.take(configOf([webAt(one, { ws: WEBSOCKET }, { tls: named('root') })]));
    expect(await subject()).toBe('CN=root');
    await expectServed(client, 1);
  });
});

describe('a transport with `shared`', () => {
  const shared = (port: number, id: string | undefined): object => ({
    ...webAt(port, { ws: WEBSOCKET }, { shared: true }),
    id,
  });

  it.each([
    ['with an id', 'other'],
    ['without', undefined],
  ])('%s stays until the restart when it goes', async (_name, id) => {
    const own = (port: number): object => ({ ...webAt(port, { ws: WEBSOCKET }), id: id && 'web_one' });
    const { node, one, two } = await start(([port = 0, other = 0]) => configOf([shared(other, id), own(port)]));
    const [client, other] = [await joinAt(one), await joinAt(two)];
    for (let again = 0; again < 2; again += 1) {
      const report = await node.reload(configOf([own(one)]));
      expect(report).toMatchObject({ ok: true, changes: [] });
      expect(report.pending).toHaveLength(1);
      expect(report.pending[0]).toMatch(/^\/workers\/0\/transports\/[01]$/);
    }
    await expectServed(client, 1);
    await expectServed(other, 1);
    await (await joinAt(two)).leave();
    await (await joinAt(one)).leave();
    await (await joinAt(two)).leave();
    // Without an id, it has another one meanwhile.
    if (id !== undefined) await node.take(configOf([shared(two, id), own(one)]));
  });

  it('comes with the restart', async () => {
    const { node, one, two } = await start(([port = 0]) => configOf([webAt(port, { ws: WEBSOCKET })]));
    const report = await node.reload(configOf([webAt(one, { ws: WEBSOCKET }), shared(two, 'other')]));
    expect(report).toMatchObject({ ok: true, changes: [], pending: ['/workers/0/transports/1'] });
    await expect(joinAt(two)).rejects.toThrow('ECONNREFUSED');
    await node.take(configOf([webAt(one, { ws: WEBSOCKET })]));
  });
});

it.each([
  ['backlog', { backlog: 77 }, '/workers/0/transports/0/endpoint/backlog'],
  ['shared', { shared: true }, '/workers/0/transports/0/endpoint/shared'],
])('%s of an endpoint waits for a restart', async (_name, endpoint, pointer) => {
  const { node, one } = await start(([port = 0]) => configOf([webAt(port, { ws: WEBSOCKET })]));
  const client = await joinAt(one);
  const report = await node.reload(configOf([webAt(one, { ws: WEBSOCKET, more: page('more') }, endpoint)]));
  expect(report).toMatchObject({ ok: true, pending: [pointer] });
  expect(await getFrom(one, '/more')).toBe('more');
  await expectServed(client, 1);
});
