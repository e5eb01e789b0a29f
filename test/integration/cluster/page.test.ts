/**
 * docs/cluster.md: the first section from top to bottom, its files and its commands in order, in an empty directory, with real
 * nats-servers; npm installs nothing (test/integration/pack.test.ts has it do so). And the permissions of NATS, which are enough for a
 * cluster with a cookie store, and for nothing else.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { connectNats } from '../../../src/engine/nats/connect.js';
import { silentLogger } from '../../../src/log/logger.js';
import { startDaemon, temporaryDirectory } from '../../support/daemon.js';
import { hasNats, NatsServer } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { nodeConfig } from '../../support/node-config.js';
import { freePorts } from '../../support/ports.js';
import { Road } from '../../support/road.js';
import { clustered, PATIENT, Settler } from '../../support/three-nodes.js';
import { within } from '../../support/wamp-client.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const PORTS = ['8080', '8081', '8082', '4222', '4223', '4224', '6222', '6223', '6224'] as const;
const PASSWORD = 'secret-of-a-test';

let road: Road | undefined;
afterAll(() => {
  const cwd = road?.cwd ?? '';
  const files = ['nats1.pid', 'nats2.pid', 'nats3.pid', 'n1/node.pid', 'n2/node.pid', 'n3/node.pid'];
  for (const file of files.map((name) => path.join(cwd, name)).filter((each) => existsSync(each))) {
    const pid = Number(/\d+/.exec(readFileSync(file, 'utf8'))?.[0]);
    if (pid > 1) spawnSync('kill', ['-KILL', String(pid)]);
  }
});

describeNeeds('nats-server', hasNats)('docs/cluster.md', () => {
  it('is a road to three nodes: every command does what it says, one after the other', async () => {
    const free = await freePorts(PORTS.length);
    const ports = new Map<string, string>(PORTS.map((port, index) => [port, String(free[index])]));
    road = new Road('cluster.md', (text) =>
      text
        .replaceAll(/\b(?:808[0-2]|[46]22[2-4])\b/g, (port) => ports.get(port) ?? port)
        .replaceAll('npx crossbar-ts', 'node_modules/.bin/crossbar-ts')
        .replaceAll(/^npm install .*$/gm, 'ls node_modules/crossbar-ts node_modules/autobahn'),
    );
    road.writeFiles();
    linkPackages(road.cwd);
    const printed = road.blocks.filter(({ language }) => language === 'text').map(({ text }) => text);
    let tries = 0;
    for (const { text } of road.blocks.filter(({ language }) => language === 'sh')) {
      for (const command of text.trim().split('\n')) {
        const output = await road.run([command]);
        if (command !== 'node try.mjs') continue;
        tries += 1;
        expect(printed).toContain(output);
      }
    }
    expect(tries).toBe(2);
  }, 240_000);

  it('gives NATS permissions that are enough for the nodes, and for nothing else', async () => {
    process.env['NATS_PASSWORD'] = PASSWORD;
    const directory = temporaryDirectory();
    const [file, words] = [path.join(directory, 'secure.conf'), path.join(directory, 'nats.log')];
    writeFileSync(file, new Road('cluster.md').file('secure.conf'));
    const [port = 0] = await freePorts(1);
    const server = new NatsServer(port, ['-c', file, '-a', '127.0.0.1', '-p', String(port), '-l', words]);
    onTestFinished(() => server.kill());
    // It talks to a file, so nobody hears that it is ready: who connects waits for it.
    void server.start().catch(() => undefined);
    const login = { servers: [server.url], user: 'node', password: PASSWORD };
    const store = { type: 'nats', bucket: 'cookies' };
    const config = nodeConfig({ websocket: { cookie: { store } } });
    const nodes = await Promise.all(
      ['n1', 'n2'].map((node) =>
        startDaemon({ config: clustered(config, { name: 'trial', ...login, ...PATIENT, node }) }),
      ),
    );
    onTestFinished(() => Promise.all(nodes.map((node) => node.dispose())).then(() => undefined));
    const settler = await Settler.join(nodes);
    await settler.settle();
    await settler.leave();

    // What nodes do after some time, or with much to tell: they erase keys, and hold a server up that tells them too much at once.
    const log = silentLogger();
    const natsConfig = { ...login, connect_timeout: 60, max_pending: 64 * 2 ** 20 };
    const engine = await connectNats(natsConfig, { log, neededBy: 'a test', name: 'a test' });
    onTestFinished(() => engine.close());
    const bucket = await engine.bucket('cookies', { durable: true });
    for (let key = 0; key < 64; key += 1) await bucket.put(`of-a-test.${key}`, new Uint8Array(64 * 1024));
    let told = 0;
    const end = await bucket.watch(({ key }) => (told += Number(key.startsWith('of-a-test.'))));
    expect(told).toBe(64);
    end();
    await bucket.erase('of-a-test.0');
    expect(await bucket.get('of-a-test.0')).toBeUndefined();
    expect(readFileSync(words, 'utf8')).not.toContain('Violation');

    for (const subject of ['something.else', 'w.other.hb', '$KV.other.key', '$JS.API.STREAM.DELETE.KV_cookies'])
      await within(
        refusal(server.url, (stranger) => stranger.publish(subject)),
        `refusal of ${subject}`,
      );
    for (const subject of ['>', 'w.other.>', '_INBOX.>'])
      await within(
        refusal(server.url, (stranger) => stranger.subscribe(subject)),
        `refusal of ${subject}`,
      );
  }, 60_000);
});

/** Links in the place of what npm installs. */
function linkPackages(directory: string): void {
  mkdirSync(path.join(directory, 'node_modules/.bin'), { recursive: true });
  const links = {
    'crossbar-ts': '',
    autobahn: 'node_modules/autobahn',
    '.bin/crossbar-ts': 'bin/crossbar-ts.js',
  };
  for (const [link, place] of Object.entries(links))
    symlinkSync(path.join(ROOT, place), path.join(directory, 'node_modules', link));
}

/** Resolves when the server refuses what a program does that has the password of the nodes. */
async function refusal(url: string, act: (connection: NatsConnection) => void): Promise<void> {
  const connection = await connect({ servers: url, user: 'node', pass: PASSWORD });
  try {
    const told = connection.status();
    act(connection);
    for await (const { type } of told) if (type === 'error') return;
  } finally {
    await connection.close();
  }
}
