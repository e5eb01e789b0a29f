/**
 * What becomes of the process of a router worker: it dies, hangs, or its node does. The other workers of the node go on, and it comes back by
 * itself, on the same port.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { runCli, startDaemon, temporaryDirectory } from '../../support/daemon.js';
import type { Daemon, LogRecord } from '../../support/daemon.js';
import { isThere } from '../../support/front-processes.js';
import { LOOPBACK, openRealm } from '../../support/node-config.js';
import { ALL_ROLES, WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const SECRET = 'not-for-the-command-line-4711';
const SERVES = 'the process of a router worker serves';

const nodes: Daemon[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.dispose();
});

function worker(id: string, port: number | string, options: object): object {
  const auth = {
    anonymous: { type: 'static' },
    ticket: { type: 'static', principals: { joe: { ticket: SECRET, role: 'anonymous' } } },
  };
  const paths = { '/': { type: 'json', value: id }, ws: { type: 'websocket', auth } };
  const transports = [{ type: 'web', id: `web_${id}`, endpoint: { ...LOOPBACK, port }, paths }];
  return { type: 'router', id, options, realms: [openRealm(`realm_${id}`)], transports };
}

/** Two workers with processes, and one in that of the node. */
const config = {
  version: 2,
  controller: {},
  workers: [worker('one', 0, { process: true }), worker('two', '$PORT', {}), worker('three', 0, { process: true })],
};

async function started(): Promise<Daemon> {
  const node = await startDaemon({ config });
  nodes.push(node);
  return node;
}

function pidOf(node: Daemon, id: string): number {
  return Number(node.logs.findLast(({ msg, worker: of }) => msg === SERVES && of === id)?.['pid']);
}

function portOf(node: Daemon, id: string): number {
  return Number(node.logs.findLast(({ msg, worker: of }) => msg === 'transport started' && of === id)?.['port']);
}

function join(node: Daemon, id: string): Promise<JoinedClient> {
  return WampClient.join(`ws://127.0.0.1:${portOf(node, id)}/ws`, `realm_${id}`);
}

async function servesAgain(node: Daemon, id: string, before: number): Promise<number> {
  const isNew = ({ msg, worker: of, pid }: LogRecord): boolean => msg === SERVES && of === id && pid !== before;
  return Number((await node.waitForLog(isNew))['pid']);
}

/** Calls, each when the last one is answered, until the connection is closed. @returns how many were answered */
async function callOn(client: JoinedClient): Promise<number> {
  let answered = 0;
  try {
    for (;;) {
      expect((await client.ask([48, answered + 2, {}, 'com.example.echo']))[0]).toBe(8);
      answered += 1;
    }
  } catch (error) {
    if (client.isOpen) throw error;
    return answered;
  }
}

it('a process that is killed under load takes its own clients along and nobody else, and comes back on its port', async () => {
  const node = await started();
  const [one, three] = [pidOf(node, 'one'), pidOf(node, 'three')];
  expect(new Set([one, three, node.pid]).size).toBe(3);
  const [there, here, other] = [await join(node, 'one'), await join(node, 'two'), await join(node, 'three')];
  const [calls, otherCalls] = [callOn(there), callOn(other)];
  expect((await here.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
  const port = portOf(node, 'one');
  process.kill(one, 'SIGKILL');
  await calls;
  expect(await there.closed).toMatchObject({ code: 1006 });
  const again = await servesAgain(node, 'one', one);
  expect(portOf(node, 'one')).toBe(port);
  expect((await (await join(node, 'one')).ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
  expect([here.isOpen, other.isOpen]).toEqual([true, true]);
  expect((await here.ask([32, 2, {}, 'com.example.other']))[0]).toBe(33);
  await other.drop();
  expect(await otherCalls).toBeGreaterThan(0);
  expect([isThere(again), isThere(three)]).toEqual([true, true]);
  const ended = await node.waitForLog('the process of a router worker has ended');
  expect(ended).toMatchObject({ level: 'error', worker: 'one', pid: one, signal: 'SIGKILL' });
});

it('a process that hangs is killed, and nobody waits for it', async () => {
  const node = await started();
  const one = pidOf(node, 'one');
  const there = await join(node, 'one');
  process.kill(one, 'SIGSTOP');
  const status = await runCli(['status', '--json', '--cbdir', node.cbdir]);
  expect(JSON.parse(status.stdout)).toMatchObject({
    running: true,
    processes: [{ worker: 'one' }, { worker: 'three' }],
  });
  const top = await runCli(['top', '--json', '--once', '--cbdir', node.cbdir]);
  const { realms } = JSON.parse(top.stdout) as { realms: { realm: string }[] };
  expect(realms.map(({ realm }) => realm)).toContain('realm_two');
  const here = await join(node, 'two');
  expect(await there.closed).toMatchObject({ code: 1006 });
  const killed = await node.waitForLog('the process of a router worker is killed');
  expect(killed).toMatchObject({ worker: 'one', pid: one, reason: 'says nothing for 10 s' });
  await servesAgain(node, 'one', one);
  expect(isThere(one)).toBe(false);
  expect((await (await join(node, 'one')).ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
  expect(here.isOpen).toBe(true);
});

it('nobody outlives a node that is killed, and the next one starts', async () => {
  const node = await started();
  const all = [pidOf(node, 'one'), pidOf(node, 'three')];
  const client = await join(node, 'one');
  await node.kill();
  // It ends at once, or in good order: whoever watches over programs of the node tells it to end, too.
  expect([1001, 1006]).toContain((await client.closed).code);
  const next = await node.restart();
  nodes.push(next);
  await expect.poll(() => all.filter((pid) => isThere(pid)), { timeout: 30_000 }).toEqual([]);
  expect((await (await join(next, 'three')).ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
});

it('a node that stops leaves no process behind, and tells its clients', async () => {
  const node = await started();
  const all = [pidOf(node, 'one'), pidOf(node, 'three')];
  const clients = [await join(node, 'one'), await join(node, 'two'), await join(node, 'three')];
  expect(await node.stop()).toBe(0);
  for (const client of clients) expect(await client.closed).toMatchObject({ code: 1001 });
  expect(all.filter((pid) => isThere(pid))).toEqual([]);
  expect(node.logs.filter(({ msg }) => msg === 'node stopped')).toHaveLength(1);
  const isComplaint = ({ level, msg }: LogRecord): boolean =>
    level === 'error' || (level === 'warn' && msg !== 'config warning');
  expect(node.logs.filter(isComplaint)).toEqual([]);
});

it('a process has no secret where others can see it, and knows it', async () => {
  const node = await started();
  const pid = pidOf(node, 'one');
  const seen = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
  expect(seen.join('\n')).not.toContain(SECRET);
  const client = await WampClient.connect(`ws://127.0.0.1:${portOf(node, 'one')}/ws`);
  const hello = { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'joe' };
  expect((await client.ask([1, 'realm_one', hello]))[0]).toBe(4);
  expect((await client.ask([5, SECRET, {}]))[0]).toBe(2);
  expect(await node.stop()).toBe(0);
  expect(node.output).not.toContain(SECRET);
});

it('a process that has a fault of its own says so, and another one takes its place', async () => {
  const cbdir = path.join(temporaryDirectory(), '.crossbar');
  mkdirSync(cbdir);
  // Nothing of the stack is the component's: so nobody knows what is broken.
  const text = `export default (session) => session.register('com.example.bug', () => {
    const error = new Error('a bug'); error.stack = 'Error: a bug\\n    at node:internal/x:1:2'; setTimeout(() => { throw error; }, 1);
  });`;
  writeFileSync(path.join(cbdir, 'bug.mjs'), text);
  const components = [{ type: 'module', module: './bug.mjs', realm: 'realm_one', role: 'anonymous' }];
  const one = { ...worker('one', 0, { process: true }), components };
  const node = await startDaemon({ cbdir, config: { ...config, workers: [one] } });
  nodes.push(node);
  const before = pidOf(node, 'one');
  const client = await join(node, 'one');
  client.send([48, 1, {}, 'com.example.bug']);
  const fatal = await node.waitForLog(({ level }) => level === 'fatal');
  expect(fatal).toMatchObject({ err: { message: 'a bug' }, process: before });
  await servesAgain(node, 'one', before);
  expect(await node.stop()).toBe(0);
});

it('what a process logs stands in the log of the node, with its worker', async () => {
  const node = await started();
  const client = await join(node, 'one');
  const joined = await node.waitForLog(
    ({ msg, sessionId }) => msg === 'session joined' && sessionId === client.sessionId,
  );
  expect(joined).toMatchObject({ level: 'info', realm: 'realm_one', process: pidOf(node, 'one') });
});

it('a worker that cannot start is named, and the node does not start', async () => {
  const node = await started();
  const taken = worker('late', portOf(node, 'two'), { process: true });
  const other = startDaemon({ config: { version: 2, workers: [worker('first', 0, {}), taken] } });
  await expect(other).rejects.toMatchObject({
    daemon: { stderr: expect.stringContaining('/workers/1/transports/0') as string },
  });
});
