/** A node inside another program: the entry of the package, and what it must leave alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { startNode } from '../../src/node/start.js';
import type { RunningNode } from '../../src/node/api.js';
import { nodeDirectory, temporaryDirectory } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

const nodes: RunningNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});

async function started(config: object = nodeConfig()): Promise<RunningNode> {
  const node = await startNode({ cbdir: nodeDirectory(config) });
  nodes.push(node);
  return node;
}

function webSocketUrl({ summary }: RunningNode): string {
  return `${summary.listening[0]!.url.replace('http', 'ws')}ws`;
}

describe('an embedded node', () => {
  it('several run in one process, each with its own realms and directory', async () => {
    const [one, two] = [await started(), await started()];
    const subscriber = await WampClient.join(webSocketUrl(one));
    await subscriber.ask([32, 1, {}, 'com.example.topic']);
    const elsewhere = await WampClient.join(webSocketUrl(two));
    await elsewhere.ask([16, 1, { acknowledge: true }, 'com.example.topic', ['other node']]);
    await two.stop();
    const here = await WampClient.join(webSocketUrl(one));
    await here.ask([16, 1, { acknowledge: true }, 'com.example.topic', ['same node']]);
    expect((await subscriber.next())[4]).toEqual(['same node']);
  });

  it('needs no directory when its config is an object, and writes nothing', async () => {
    const before = readdirSync('.').sort();
    const nodes = await Promise.all([startNode({ config: nodeConfig() }), startNode({ config: nodeConfig() })]);
    const client = await WampClient.join(webSocketUrl(nodes[0]));
    await client.ask([32, 1, {}, 'com.example.topic']);
    expect(nodes[0].summary).toMatchObject({ cbdir: process.cwd() });
    expect(nodes[0].summary).not.toHaveProperty('config');
    expect(readdirSync('.').sort()).toEqual(before);
    await Promise.all(nodes.map((node) => node.stop()));
    expect(readdirSync('.').sort()).toEqual(before);
  });

  it('with a config that is an object takes a directory where one is named', async () => {
    const cbdir = temporaryDirectory();
    const cookie = { store: { type: 'file', filename: 'c.dat' } };
    await using node = await startNode({ cbdir, config: nodeConfig({ websocket: { cookie } }) });
    expect(readdirSync(cbdir)).toEqual(expect.arrayContaining(['c.dat', 'node.pid', 'node.sock']));
    await expect(startNode({ cbdir, config: nodeConfig() })).rejects.toMatchObject({ code: 'ERR_NODE_RUNNING' });
    await node.stop();
    expect(readdirSync(cbdir)).toEqual(['c.dat']);
  });

  it('with a config that is an object is told what is wrong with it', async () => {
    const config = { version: 2, workers: [{ type: 'router', transports: [{ type: 'web', endpoint: LOOPBACK }] }] };
    await expect(startNode({ config })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      problems: [expect.objectContaining({ file: 'config', pointer: '/workers/0/transports/0' })],
    });
  });

  it('without both is told that it needs one of them', async () => {
    await expect(startNode({})).rejects.toMatchObject({
      code: 'ERR_NODE_DIRECTORY',
      message: 'a node needs a directory (`cbdir`), or a `config` that is an object',
    });
  });

  it('is refused on a directory that another one of the same process has', async () => {
    const { summary } = await started();
    await expect(startNode({ cbdir: summary.cbdir })).rejects.toMatchObject({ code: 'ERR_NODE_RUNNING' });
  });

  it('stops once, however often it is told to, and can start again on its directory', async () => {
    const node = await started(nodeConfig({ websocket: { cookie: { store: { type: 'file', filename: 'c.dat' } } } }));
    const { cbdir } = node.summary;
    await Promise.all([node.stop(), node.stop()]);
    await node.stop();
    expect(readdirSync(cbdir).sort()).toEqual(['c.dat', 'config.json']);
    nodes.push(await startNode({ cbdir }));
  });

  it('that cannot start leaves nothing behind: no port, no lock, no pid file', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    const free = createServer().listen(0, '127.0.0.1');
    await Promise.all([once(taken, 'listening'), once(free, 'listening')]);
    const [takenPort, freePort] = [taken, free].map((server) => (server.address() as AddressInfo).port);
    free.close();
    await once(free, 'close');
    const cbdir = nodeDirectory(
      nodeConfig({
        websocket: { cookie: { store: { type: 'file', filename: 'c.dat' } } },
        transport: { endpoint: { ...LOOPBACK, port: freePort } },
        transports: [{ type: 'websocket', endpoint: { ...LOOPBACK, port: takenPort } }],
      }),
    );
    await expect(startNode({ cbdir })).rejects.toMatchObject({ code: 'ERR_NODE_START' });
    expect(readdirSync(cbdir).sort()).toEqual(['c.dat', 'config.json']);
    await expect(WampClient.connect(`ws://127.0.0.1:${freePort}/ws`)).rejects.toThrow('ECONNREFUSED');
    taken.close();
  });

  it('names the part when a cookie store cannot be opened', async () => {
    const cookie = { store: { type: 'file', filename: 'config.json/cookies.dat' } };
    const cbdir = nodeDirectory(nodeConfig({ websocket: { cookie } }));
    await expect(startNode({ cbdir })).rejects.toThrow(
      /^transport transport001 \(\/workers\/0\/transports\/0\): .*cookies\.dat/,
    );
    expect(existsSync(path.join(cbdir, 'node.pid'))).toBe(false);
  });

  it('is joined from within: the session sees what clients of the network do, and ends with the node', async () => {
    const node = await started();
    const session = await node.connect('realm1', { role: 'anonymous', authid: 'backend' });
    expect(session.details).toMatchObject({ authid: 'backend', authrole: 'anonymous' });
    await session.register('com.example.add', ([a, b]) => Number(a) + Number(b));
    const client = await WampClient.join(webSocketUrl(node));
    expect((await client.ask([48, 1, {}, 'com.example.add', [2, 3]]))[3]).toEqual([5]);
    await expect(node.connect('realm2', { role: 'anonymous' })).rejects.toMatchObject({
      error: 'wamp.error.no_such_realm',
    });
    const left = new Promise((resolve) => (session.onleave = resolve));
    await node.stop();
    expect(await left).toBe('wamp.close.system_shutdown');
    await expect(node.connect('realm1', { role: 'anonymous' })).rejects.toMatchObject({ code: 'ERR_NODE_STOPPED' });
  });

  it('touches neither signals nor output of its program, and lets it end by itself', async () => {
    // Through the entry of the package, as a program would import it.
    const program = `
      import { startNode } from 'crossbar-ts';
      const before = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException'].map((name) => process.listenerCount(name));
      const node = await startNode({ cbdir: ${JSON.stringify(nodeDirectory(nodeConfig()))} });
      const after = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException'].map((name) => process.listenerCount(name));
      const title = process.title;
      await node.stop();
      if (String(before) !== String(after)) throw new Error('listeners were installed: ' + after);
      if (title === node.summary.title) throw new Error('the process was renamed');
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: ROOT });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output).toBe('');
  });
});
