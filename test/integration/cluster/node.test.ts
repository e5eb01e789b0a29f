/** A daemon in a cluster over NATS: its start without NATS, and what becomes of everybody when it loses the others and comes back. */
import { writeFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import WebSocket from 'ws';

import { nodeDirectory, runCli, spawnDaemon, startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { LOOPBACK, nodeConfig, openRealm } from '../../support/node-config.js';
import { freePorts } from '../../support/ports.js';
import { WampClient } from '../../support/wamp-client.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const TIMES = { heartbeat: 200, suspect_after: 1000, fence_after: 1000, remove_after: 2000 };

/** The name of the node that answers is in its component. */
const COMPONENT = (node: string): string => `
export default async function component(session) {
  await session.register('com.example.of-${node}', () => '${node}');
  await session.register('com.example.single', () => '${node}').catch(() => undefined);
}`;

interface Parts {
  readonly servers: readonly string[];
  readonly cluster?: object;
  readonly websocket?: object;
}

function configOf(node: string, { servers, cluster, websocket = {} }: Parts): object {
  const config = nodeConfig({
    realms: [{ ...openRealm('realm1'), cluster: true }, openRealm('alone')],
    websocket,
    paths: { readyz: { type: 'readyz' }, poll: { type: 'longpoll' } },
    transports: [{ type: 'rawsocket', endpoint: LOOPBACK, serializers: ['json'] }],
  });
  return { ...config, cluster: { type: 'nats', node, servers, ...TIMES, ...cluster } };
}

async function nats(): Promise<NatsServers> {
  const servers = await NatsServers.start(1);
  ends.push(() => servers.stop());
  return servers;
}

async function started(config: object): Promise<Daemon> {
  const daemon = await startDaemon({ config });
  ends.push(() => daemon.dispose());
  return daemon;
}

function join(daemon: Daemon, realm?: string): Promise<WampClient> {
  return WampClient.join(daemon.url('/ws', 'ws'), realm);
}

/** Everything that a stranger gets: messages, and how the connection ends. */
async function knock(url: string): Promise<unknown[]> {
  const socket = new WebSocket(url, 'wamp.2.json');
  const got: unknown[] = [];
  socket.on('message', (data: Buffer) => got.push(data.toString()));
  socket.once('open', () => socket.send(JSON.stringify([1, 'realm1', { roles: { caller: {} } }])));
  return new Promise((resolve) => socket.once('close', (code) => resolve([...got, code])));
}

describeNeeds('nats-server', hasNats)('a node of a cluster', () => {
  it('waits for NATS at its start, and says so, until a signal ends that', async () => {
    const [port = 0] = await freePorts(1);
    const daemon = spawnDaemon({ config: configOf('n1', { servers: [`nats://127.0.0.1:${port}`] }) });
    ends.push(() => daemon.dispose());
    expect(await daemon.waitForLog('waits for NATS')).toMatchObject({ servers: [`nats://127.0.0.1:${port}`] });
    expect(daemon.listening()).toEqual([]);
    await daemon.stop();
  });

  it('gives up when NATS does not come', async () => {
    const [port = 0] = await freePorts(1);
    const config = configOf('n1', { servers: [`nats://127.0.0.1:${port}`], cluster: { connect_timeout: 1 } });
    const cbdir = nodeDirectory(config);
    expect((await runCli(['check', '--cbdir', cbdir])).code).toBe(0);
    const { code, stderr } = await runCli(['start', '--cbdir', cbdir]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `the node cannot join the cluster: NATS did not answer within 1 s at nats://127.0.0.1:${port}: connection refused`,
    );
  });

  it('does not wait for NATS with an identity that is of no use: the start ends at once', async () => {
    const [port = 0] = await freePorts(1);
    const servers = [`nats://127.0.0.1:${port}`];
    const started = async (cluster: object) => {
      const cbdir = nodeDirectory(configOf('n1', { servers, cluster: { connect_timeout: 86_400, ...cluster } }));
      writeFileSync(`${cbdir}/app.creds`, 'garbage of a secret', { mode: 0o600 });
      const { code, stdout, stderr } = await runCli(['start', '--cbdir', cbdir]);
      expect(code).toBe(1);
      expect(stdout + stderr).not.toMatch(/garbage|waits for NATS/);
      return stderr;
    };
    expect(await started({ nkey: 'garbage' })).toContain(
      'the node cannot join the cluster: "nkey" is not the seed of a user (allowed: SU, and 56 letters and digits)',
    );
    expect(await started({ credentials: 'app.creds' })).toMatch(
      /the node cannot join the cluster: the file \S+\/app\.creds is not one of credentials as `nsc` writes it/,
    );
  });

  it('does not start with messages that no other node could get', async () => {
    const { urls } = await nats();
    const options = { max_message_size: 33_554_432 };
    const cbdir = nodeDirectory(configOf('n1', { servers: urls, websocket: { options } }));
    const { code, stderr } = await runCli(['start', '--cbdir', cbdir]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      '/workers/0/transports/0/paths/ws/options/max_message_size: 33554432 bytes are more than 1044480, the most that one message between nodes may have',
    );
  });

  it('that has lost NATS closes its clients with 1001 and no GOODBYE, and comes back with all that its components have', async () => {
    const servers = await nats();
    const config = configOf('n1', { servers: servers.urls }) as { workers: { components?: object[] }[] };
    config.workers[0]!.components = [{ type: 'module', module: './component.mjs', realm: 'realm1', role: 'anonymous' }];
    const cbdir = nodeDirectory(config);
    writeFileSync(`${cbdir}/component.mjs`, COMPONENT('n1'));
    const one = await startDaemon({ cbdir });
    ends.push(() => one.dispose());
    const two = await started(configOf('n2', { servers: servers.urls }));
    const [here, alone, there] = [await join(one), await join(one, 'alone'), await join(two)];
    expect(await there.ask([48, 1, {}, 'com.example.of-n1'])).toEqual([50, 1, {}, ['n1']]);

    const server = servers.servers[0]!;
    server.signal('SIGSTOP');
    const closed = await Promise.all([here.closed, there.closed]);
    expect(closed.map(({ code }) => code)).toEqual([1001, 1001]);
    await one.waitForLog('lost the cluster: its clients are sent elsewhere, and the node joins again');
    expect(await knock(one.url('/ws', 'ws'))).toEqual([1001]);
    const ready = await fetch(one.url('/readyz'));
    expect(ready.status).toBe(503);
    expect(await ready.text()).toMatch(/"cluster":"the node (is joining the cluster again|has no connection)/);
    // A server that hangs is one with a connection for as long as nobody has noticed.
    const away = await runCli(['status', '--json', '--cbdir', cbdir]);
    expect(away.stdout).toMatch(/"state":"(joining|fenced)".*"fenced":1/);
    expect((await runCli(['top', '--once', '--cbdir', cbdir])).stdout).toMatch(
      /^cluster crossbar as n1 {3}(JOINING|FENCED) {3}messages lost \d+ times? {3}undelivered \d+ {3}fenced 1 time$/m,
    );
    // The other realm has nothing to do with it.
    expect((await alone.ask([64, 1, {}, 'com.example.here']))[0]).toBe(65);

    server.signal('SIGCONT');
    await Promise.all([one, two].map((node) => node.waitForLog('joined the cluster again')));
    await expect.poll(async () => (await fetch(one.url('/readyz'))).status).toBe(200);
    const again = await join(two);
    await expect
      .poll(async () => (await again.ask([48, 1, {}, 'com.example.of-n1']))[3], { timeout: 10_000 })
      .toEqual(['n1']);
    const { stdout } = await runCli(['status', '--cbdir', cbdir]);
    expect(stdout).toContain('in the cluster crossbar as n1, with n2\n  lost the cluster 1 time since its start\n');
    expect((await runCli(['top', '--once', '--cbdir', cbdir])).stdout).toMatch(
      /^cluster crossbar as n1 {3}member {3}with n2 {3}messages lost/m,
    );
  });

  it('that was stopped finds its registration with another node, and gives it up', async () => {
    const { urls } = await nats();
    const config = configOf('n1', { servers: urls }) as { workers: { components?: object[] }[] };
    config.workers[0]!.components = [{ type: 'module', module: './component.mjs', realm: 'realm1', role: 'anonymous' }];
    const cbdir = nodeDirectory(config);
    writeFileSync(`${cbdir}/component.mjs`, COMPONENT('n1'));
    const one = await startDaemon({ cbdir });
    ends.push(() => one.dispose());
    const two = await started(configOf('n2', { servers: urls }));
    const [here, there] = [await join(one), await join(two)];
    one.signal('SIGSTOP');
    await two.waitForLog('removed a node that is silent from the cluster');
    await expect
      .poll(async () => (await there.ask([64, 1, {}, 'com.example.single']))[0], { timeout: 10_000 })
      .toBe(65);
    // It waits in the socket of the node that is stopped.
    here.send([48, 1, {}, 'com.example.single']);
    one.signal('SIGCONT');
    expect(await here.closed).toMatchObject({ code: 1001 });
    await one.waitForLog('joined the cluster again');
    const back = await join(one);
    back.send([48, 1, {}, 'com.example.single']);
    const [type, id] = await there.next();
    expect(type).toBe(68);
    there.send([70, id, {}, ['n2']]);
    expect(await back.next()).toEqual([50, 1, {}, ['n2']]);
  });
});
