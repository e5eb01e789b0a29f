/** `log_level` of the config and SIGHUP: more lines, then fewer, while everybody stays. */
import { afterEach, describe, expect, it } from 'vitest';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { startDaemon } from '../../support/daemon.js';
import type { Daemon, DaemonOptions, LogRecord } from '../../support/daemon.js';
import { describeNeeds } from '../../support/needs.js';
import { LOOPBACK, openRealm } from '../../support/node-config.js';
import { directoryWith } from '../../support/node-directory.js';
import { hasAutobahn, pythonConfig, pythonDirectory } from '../../support/python.js';
import { WampClient } from '../../support/wamp-client.js';

/** Options of the controller. */
type Options = Readonly<Record<string, unknown>>;

const RAW = { type: 'unix', path: 'raw.sock' };

/** A router with its web, and a container with a module that talks on demand. */
const config = (options: Options = {}, components: readonly object[] = []): object => ({
  version: 2,
  controller: { options: { shutdown: 'shutdown_on_shutdown_requested', ...options } },
  workers: [
    {
      type: 'router',
      realms: [openRealm('realm1')],
      transports: [
        { type: 'web', endpoint: LOOPBACK, paths: { ws: { type: 'websocket' }, a: { type: 'json', value: 1 } } },
        { type: 'rawsocket', endpoint: RAW },
      ],
    },
    ...(components.length === 0 ? [] : [{ type: 'container', id: 'box', components }]),
  ],
});

const TALKER = `export default async (session, { log }) => {
  await session.register('com.talk', ([text]) => { log.debug(text); log.error('said ' + text); });
};`;
const MODULE = { type: 'module', module: './talker.js', realm: 'realm1' };
const TRANSPORT = { type: 'rawsocket', endpoint: RAW, serializer: 'json' };

let daemon: Daemon | undefined;
afterEach(() => daemon?.dispose());

async function started(options: DaemonOptions): Promise<Daemon> {
  daemon = await startDaemon(options);
  await daemon.waitForLog('node started');
  return daemon;
}

/** Has a node take a config, by the signal. Resolves when it runs with it, whatever it logs. */
async function take(node: Daemon, next: object): Promise<void> {
  const { version, ...rest } = next as { version: number };
  turn += 1;
  const answer = { type: 'json', value: turn };
  const [router, ...others] = (rest as { workers: { transports: { paths: object }[] }[] }).workers;
  const [web, ...more] = router?.transports ?? [];
  const workers = [{ ...router, transports: [{ ...web, paths: { ...web?.paths, turn: answer } }, ...more] }, ...others];
  writeFileSync(path.join(node.cbdir, 'config.json'), JSON.stringify({ version, ...rest, workers }));
  node.signal('SIGHUP');
  // Not by the log, which is what changes.
  while (Number(await (await fetch(node.url('/turn'))).text()) !== turn) await new Promise(setImmediate);
}
let turn = 0;

/** A process hears of a new level by a way of its own, on which a call may overtake it. */
async function untilHeard(said: (text: string) => Promise<unknown[]>): Promise<unknown[]> {
  for (let count = 0; ; count += 1) {
    const heard = await said(`two${count}`);
    if (heard.length > 0) return heard;
  }
}

const isRequest = ({ msg, path: at }: LogRecord): boolean => msg === 'request' && at === '/a';
/** Waits until so many reloads are told. */
const reloaded = (node: Daemon, count: number): Promise<LogRecord> =>
  node.waitForLog(() => node.logs.filter(({ msg }) => msg === 'config reloaded').length >= count);

/** A request and a session, which have lines where the level is low enough. */
async function visit(node: Daemon): Promise<void> {
  await (await fetch(node.url('/a'))).text();
  const client = await WampClient.join(node.url('/ws', 'ws'));
  await client.leave();
}

/** A visit, of which the log tells the session, but not the request. */
async function visitAtInfo(node: Daemon): Promise<void> {
  const { length } = node.logs;
  await visit(node);
  await node.waitForLog((record) => node.logs.indexOf(record) >= length && record.msg === 'session left');
  expect(node.logs.slice(length).filter(({ level }) => level === 'debug')).toEqual([]);
}

describe('log_level', () => {
  it('changes by SIGHUP: lines of debug appear, then vanish, and sessions stay', async () => {
    const node = await started({ config: config() });
    const client = await WampClient.join(node.url('/ws', 'ws'));
    await visitAtInfo(node);
    await take(node, config({ log_level: 'debug' }));
    await visit(node);
    expect(await node.waitForLog(isRequest)).toMatchObject({ level: 'debug' });
    await reloaded(node, 1);
    expect(node.logs).toContainEqual(
      expect.objectContaining({ msg: 'config changed', pointer: '/controller/options/log_level', how: 'at once' }),
    );
    await take(node, config());
    await reloaded(node, 2);
    await visitAtInfo(node);
    await take(node, config({ log_level: 'none' }));
    await visit(node);
    expect(await client.ask([32, 1, {}, 'com.a'])).toMatchObject([33, 1, expect.any(Number)]);
    await client.leave();
    expect(await node.stop()).toBe(0);
    // The last that is told is the signal which made it quiet.
    const again = 'signal received: the config is read again';
    expect([node.logs.at(-1)?.msg, node.logs.filter(({ msg }) => msg === again).length]).toEqual([again, 3]);
  });

  it('holds from the start, and a level that is wrong changes nothing', async () => {
    daemon = await startDaemon({ config: config({ log_level: 'debug' }) });
    await daemon.waitForLog('limits of the process');
    writeFileSync(path.join(daemon.cbdir, 'config.json'), JSON.stringify(config({ log_level: 'loud' })));
    daemon.signal('SIGHUP');
    const { problem } = await daemon.waitForLog('reload refused: the config before stays in force');
    expect(problem).toContain('/controller/options/log_level');
    await fetch(daemon.url('/a'));
    await daemon.waitForLog(isRequest);
  });

  it('has no effect with --loglevel, and the log says so once', async () => {
    const node = await started({ config: config(), args: ['--loglevel', 'info'] });
    await take(node, config({ log_level: 'debug' }));
    await take(node, config({ log_level: 'trace' }));
    await reloaded(node, 2);
    const said = node.logs.filter(({ msg }) => msg === 'log_level of the config has no effect');
    expect(said).toMatchObject([{ level: 'warn', log_level: 'debug', inForce: 'info' }]);
    await visitAtInfo(node);
  });

  it('is followed by the process of a container', async () => {
    const components = [{ ...MODULE, transport: TRANSPORT }];
    const cbdir = directoryWith({ 'package.json': '{"type": "module"}', 'talker.js': TALKER });
    const node = await started({ cbdir, config: config({}, components) });
    await node.waitForLog('component started');
    const client = await WampClient.join(node.url('/ws', 'ws'));
    let request = 0;
    const said = async (text: string): Promise<unknown[]> => {
      expect((await client.ask([48, ++request, {}, 'com.talk', [text]])).slice(0, 2)).toEqual([50, request]);
      await node.waitForLog(({ line }) => line === `said ${text}`);
      return node.logs.filter(({ line }) => line === text).map(({ level }) => level);
    };
    expect(await said('one')).toEqual([]);
    await take(node, config({ log_level: 'debug' }, components));
    expect(await untilHeard(said)).toEqual(['debug']);
    await take(node, config({ log_level: 'error' }, components));
    expect(await said('three')).toEqual([]);
  });
});

describeNeeds('python3-autobahn', hasAutobahn)('log_level and Python', () => {
  it('is followed by Twisted, txaio and logging', async () => {
    const file = `import logging
from autobahn.twisted.wamp import ApplicationSession
from twisted.logger import Logger

class Talks(ApplicationSession):
    async def onJoin(self, details):
        await self.register(self.talk, "com.talk")

    def talk(self, text):
        logging.getLogger("own").debug("python " + text)
        Logger("own").debug("twisted " + text)
        self.log.debug("txaio " + text)
        logging.getLogger("own").error("said " + text)
`;
    const component = { classname: 'talks.Talks', role: 'anonymous' };
    const at = (options: Options): object => pythonConfig([component], { controller: { options } });
    const node = await started({ cbdir: pythonDirectory({ 'app/talks.py': file }), config: at({}) });
    const client = await WampClient.join(node.url('/ws', 'ws'));
    let request = 0;
    const said = async (text: string): Promise<unknown[]> => {
      expect((await client.ask([48, ++request, {}, 'com.talk', [text]])).slice(0, 2)).toEqual([50, request]);
      await node.waitForLog(({ line }) => line === `said ${text}`);
      return node.logs
        .filter(({ line, level }) => level === 'debug' && String(line).endsWith(` ${text}`))
        .map(({ line }) => String(line).split(' ')[0]);
    };
    expect(await said('one')).toEqual([]);
    await take(node, at({ log_level: 'debug' }));
    expect(await untilHeard(said)).toEqual(['python', 'twisted', 'txaio']);
    await take(node, at({ log_level: 'warn' }));
    expect(await said('three')).toEqual([]);
  });
});
