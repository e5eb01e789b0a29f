/**
 * What becomes of the processes: a front that is stopped is killed and replaced while the clients of the other one go on, fronts whose parent
 * is killed end and come back, and nobody outlives a node that is killed.
 */
import { afterEach, expect, it } from 'vitest';
import { putBehindFronts, startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { clientPortsAt, frontAgain, frontsOf, isThere, ownPort, parentOf } from '../../support/front-processes.js';
import { LOOPBACK, nodeConfig } from '../../support/node-config.js';
import { WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

putBehindFronts();

const nodes: Daemon[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.dispose();
});

async function started(): Promise<Daemon> {
  const node = await startDaemon({ config: nodeConfig({ transport: { endpoint: { ...LOOPBACK, port: '$PORT' } } }) });
  nodes.push(node);
  return node;
}

function join(node: Daemon): Promise<JoinedClient> {
  return WampClient.join(node.url('/ws', 'ws'));
}

/** A client of the process; others that come meanwhile leave. */
async function clientOf(node: Daemon, pid: number): Promise<JoinedClient> {
  const others: JoinedClient[] = [];
  for (;;) {
    const client = await join(node);
    if (clientPortsAt(pid, node.port).has(ownPort(client))) {
      await Promise.all(others.map((other) => other.drop()));
      return client;
    }
    others.push(client);
  }
}

it('a front that is stopped is killed and replaced, and the clients of the other one go on', async () => {
  const node = await started();
  const [one, two] = frontsOf(node);
  const [there, here] = [await clientOf(node, one?.pid ?? 0), await clientOf(node, two?.pid ?? 0)];
  await there.ask([32, 1, {}, 'com.example.topic']);
  await there.ask([64, 2, {}, 'com.example.procedure']);
  process.kill(one?.pid ?? 0, 'SIGSTOP');
  expect((await here.ask([16, 1, { acknowledge: true }, 'com.example.topic', ['x'.repeat(100_000)]]))[0]).toBe(17);
  expect((await join(node)).sessionId).not.toBe(here.sessionId);
  // Its callee says nothing, until the node knows that it is gone.
  const answer = await here.ask([48, 2, {}, 'com.example.procedure']);
  expect(answer.slice(0, 5)).toEqual([8, 48, 2, {}, 'wamp.error.canceled']);
  expect(await there.closed).toMatchObject({ code: 1006 });
  const gone = await node.waitForLog('front is gone');
  expect(gone).toMatchObject({ front: one?.number, pid: one?.pid, reason: 'says nothing for 10 s' });
  const again = await frontAgain(node, one ?? { number: 0, pid: 0 });
  expect(isThere(one?.pid ?? 0)).toBe(false);
  const back = await clientOf(node, again.pid);
  expect((await back.ask([64, 1, {}, 'com.example.procedure']))[0]).toBe(65);
  expect(here.isOpen).toBe(true);
});

it('fronts whose parent is killed end, and come back with a new one', async () => {
  const node = await started();
  const before = frontsOf(node);
  const client = await join(node);
  const parent = parentOf(before[0]?.pid ?? 0);
  process.kill(parent, 'SIGKILL');
  await client.closed;
  for (const front of before) await frontAgain(node, front);
  expect([parent, ...before.map(({ pid }) => pid)].filter((pid) => isThere(pid))).toEqual([]);
  const again = await WampClient.join(node.url('/ws', 'ws'));
  expect((await again.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
  expect(await node.stop()).toBe(0);
});

it('nobody outlives a node that is killed, and the next one has its ports', async () => {
  const node = await started();
  const fronts = frontsOf(node).map(({ pid }) => pid);
  const all = [parentOf(fronts[0] ?? 0), ...fronts];
  const client = await join(node);
  await node.kill();
  await client.closed;
  const next = await node.restart();
  nodes.push(next);
  expect(next.port).toBe(node.port);
  await expect.poll(() => all.filter((pid) => isThere(pid))).toEqual([]);
  expect((await (await join(next)).ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
});

it('a node that stops leaves no process behind', async () => {
  const node = await started();
  const fronts = frontsOf(node).map(({ pid }) => pid);
  const all = [parentOf(fronts[0] ?? 0), ...fronts];
  const client = await join(node);
  expect(await node.stop()).toBe(0);
  expect(await client.closed).toMatchObject({ code: 1001 });
  expect(all.filter((pid) => isThere(pid))).toEqual([]);
});
