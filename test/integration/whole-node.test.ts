/** A node with everything that is a process of its own: components of Python, containers of both languages, guests of both. */
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK } from '../support/node-config.js';
import { freePorts } from '../support/ports.js';
import { descendantsOf, untilGone } from '../support/processes.js';
import { hasAutobahn, PYTHON, pythonConfig, pythonDirectory } from '../support/python.js';
import { WampClient } from '../support/wamp-client.js';

const CLIENTS = path.resolve(import.meta.dirname, '../clients');
const JAVASCRIPT = `export default (session) => session.register('com.example.greet', ([name]) => 'hello ' + name);`;
const BACKEND = `
from autobahn.twisted.wamp import ApplicationSession

class Adder(ApplicationSession):
    def onJoin(self, details):
        return self.register(lambda a, b: a + b, "com.example.add")

class Doubler(ApplicationSession):
    def onJoin(self, details):
        return self.register(lambda a: self.call("com.example.add", a, a), "com.example.double")
`;

const daemons: Daemon[] = [];
afterAll(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

/** A node whose parts have all joined. */
async function started(): Promise<Daemon> {
  const [port = 0] = await freePorts(1);
  const url = `ws://127.0.0.1:${port}/ws`;
  const transport = { type: 'websocket', url };
  const config = pythonConfig(['parts.Echo']) as { workers: { transports: { endpoint: object }[] }[] };
  for (const web of config.workers[0]?.transports ?? []) web.endpoint = { ...LOOPBACK, port };
  const contained = (part: object): object => ({ realm: 'realm1', transport, ...part });
  const box = {
    ...{ type: 'container', id: 'box', options: { python: PYTHON, pythonpath: ['app'] } },
    components: [
      contained({ type: 'class', id: 'adder', classname: 'backend.Adder' }),
      contained({ type: 'class', id: 'doubler', classname: 'backend.Doubler' }),
      contained({ type: 'module', id: 'greeter', module: './greeter.mjs' }),
    ],
  };
  const guests = [
    { type: 'guest', id: 'guest_node', executable: process.execPath, arguments: [path.join(CLIENTS, 'guest.js'), url] },
    { type: 'guest', id: 'guest_python', executable: PYTHON, arguments: [path.join(CLIENTS, 'guest.py'), url] },
  ];
  const daemon = await startDaemon({
    cbdir: pythonDirectory({ 'app/backend.py': BACKEND, 'greeter.mjs': JAVASCRIPT }),
    config: { ...config, workers: [...config.workers, box, ...guests] },
  });
  daemons.push(daemon);
  const joined = (worker: string) => (record: LogRecord) => record['worker'] === worker && record['line'] === 'joined';
  for (const { id } of guests) await daemon.waitForLog(joined(id));
  return daemon;
}

describeNeeds('python3-autobahn', hasAutobahn)('a node with programs of all kinds', () => {
  it('lets them call each other, and ends all of them in order when it stops', async () => {
    const daemon = await started();
    const pids = descendantsOf(daemon.pid);
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    const answerOf = async (procedure: string, ...args: unknown[]) =>
      (await client.ask([48, 1, {}, procedure, args]))[3];
    expect(await answerOf('com.example.double', 21)).toEqual([42]);
    expect(await answerOf('com.example.greet', 'you')).toEqual(['hello you']);
    expect(await answerOf('com.example.from_node', 'me')).toEqual(['node heard me']);
    expect(await answerOf('com.example.from_python', 'me')).toEqual(['python heard me']);
    expect(await daemon.stop()).toBe(0);
    await untilGone(pids);
    const messages = daemon.logs.map(({ msg }) => msg);
    expect(messages.filter((msg) => msg === 'component host ended')).toHaveLength(3);
    expect(messages.filter((msg) => msg === 'guest ended')).toHaveLength(2);
    expect(messages.some((msg) => msg.includes('killed'))).toBe(false);
    // The component of the router is there until the clients are gone.
    const left = daemon.logs.filter(({ msg }) => msg === 'session left').map(({ authid }) => authid);
    expect(left.at(-1)).toBe('component001');
    expect(messages.at(-1)).toBe('node stopped');
  });

  it('leaves no process behind when it is killed with -9', async () => {
    const daemon = await started();
    const pids = descendantsOf(daemon.pid);
    // A Python of the router, a Python and a Node.js of the container, two guests, the warden.
    expect(pids.length).toBeGreaterThanOrEqual(6);
    await daemon.kill();
    await untilGone(pids);
  });
});
