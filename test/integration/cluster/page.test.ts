/**
 * docs/cluster.md: the first section from top to bottom, its files and its commands in order, in an empty directory, with real
 * nats-servers; and the permissions of NATS, which are enough for a cluster and for nothing else.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from '@nats-io/transport-node';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { startDaemon, temporaryDirectory } from '../../support/daemon.js';
import { hasNats, NatsServer } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { nodeConfig } from '../../support/node-config.js';
import { freePorts } from '../../support/ports.js';
import { Road } from '../../support/road.js';
import { clustered, PATIENT, Settler } from '../../support/three-nodes.js';
import { within } from '../../support/wamp-client.js';

const PORTS = ['8080', '8081', '8082', '4222', '4223', '4224', '6222', '6223', '6224'] as const;
const PASSWORD = 'a password of a test';

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
      text.replaceAll(/\b(?:808[0-2]|[46]22[2-4])\b/g, (port) => ports.get(port) ?? port),
    );
    road.writeFiles();
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
    const file = path.join(directory, 'secure.conf');
    writeFileSync(file, new Road('cluster.md').file('secure.conf'));
    const [port = 0] = await freePorts(1);
    const server = new NatsServer(port, ['-c', file, '-a', '127.0.0.1', '-p', String(port), '-sd', directory]);
    onTestFinished(() => server.kill());
    await server.start();
    const section = { name: 'trial', servers: [server.url], user: 'node', password: PASSWORD, ...PATIENT };
    const nodes = await Promise.all(
      ['n1', 'n2'].map((node) => startDaemon({ config: clustered(nodeConfig(), { ...section, node }) })),
    );
    onTestFinished(() => Promise.all(nodes.map((node) => node.dispose())).then(() => undefined));
    const settler = await Settler.join(nodes);
    await settler.settle();
    await settler.leave();

    const stranger = await connect({ servers: server.url, user: 'node', pass: PASSWORD });
    onTestFinished(() => stranger.close());
    const refused = new Promise((resolve) => {
      void (async () => {
        for await (const { type } of stranger.status()) if (type === 'error') resolve(type);
      })();
    });
    stranger.publish('something.else');
    await within(refused, 'refusal');
  });
});
