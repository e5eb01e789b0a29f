/** `crossbar-ts reload` and SIGHUP: a node changes while its clients are connected. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli, startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { LOOPBACK } from '../../support/node-config.js';
import { WampClient } from '../../support/wamp-client.js';

interface Parts {
  readonly rules?: readonly object[];
  readonly realms?: readonly object[];
  readonly paths?: object;
  readonly title?: string;
}

const OPEN = [{ uri: '', match: 'prefix', allow: { call: true, register: true, publish: true, subscribe: true } }];

const config = ({ rules = OPEN, realms = [], paths = {}, title }: Parts = {}): object => ({
  version: 2,
  ...(title !== undefined && { controller: { options: { title } } }),
  workers: [
    {
      type: 'router',
      realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: rules }] }, ...realms],
      transports: [{ type: 'web', endpoint: LOOPBACK, paths: { ws: { type: 'websocket' }, ...paths } }],
    },
  ],
});

const json = (value: string): object => ({ type: 'json', value });

describe('reload', () => {
  let daemon: Daemon;
  beforeEach(async () => {
    daemon = await startDaemon({ config: config({ paths: { old: json('old') } }) });
    await daemon.waitForLog('node started');
  });
  afterEach(() => daemon.dispose());

  const write = (parts: object | string): void =>
    writeFileSync(path.join(daemon.cbdir, 'config.json'), typeof parts === 'string' ? parts : JSON.stringify(parts));
  const reload = async (parts: Parts | string) => {
    write(typeof parts === 'string' ? parts : config(parts));
    const { code, stdout } = await runCli(['reload', '--cbdir', daemon.cbdir, '--json']);
    return { code, ...(JSON.parse(stdout) as Record<string, unknown>) };
  };
  const get = async (place: string): Promise<number> => (await fetch(daemon.url(place))).status;

  it('adds and removes paths and realms, and sessions that are open go on', async () => {
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    const realm2 = { name: 'realm2', roles: [{ name: 'anonymous', permissions: OPEN }] };
    expect(await reload({ paths: { more: json('new') }, realms: [realm2] })).toMatchObject({
      code: 0,
      ok: true,
      pending: [],
    });
    expect([await get('/more'), await get('/old')]).toEqual([200, 404]);
    const other = await WampClient.join(daemon.url('/ws', 'ws'), 'realm2');
    expect(await reload({})).toMatchObject({ code: 0, ok: true, removed: 1 });
    expect(await other.next()).toMatchObject([6, {}, 'wamp.close.close_realm']);
    await client.leave();
  });

  it('takes away from open sessions what the new rules forbid', async () => {
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    expect(await client.ask([32, 1, {}, 'com.a'])).toMatchObject([33, 1, expect.any(Number)]);
    expect(await client.ask([32, 2, {}, 'com.b'])).toMatchObject([33, 2, expect.any(Number)]);
    const rules = [{ uri: 'com.b', allow: { subscribe: true } }];
    expect(await reload({ rules, paths: { old: json('old') } })).toMatchObject({ code: 0, revoked: 1 });
    expect(await client.ask([32, 3, {}, 'com.a'])).toMatchObject([
      8,
      32,
      3,
      {},
      'wamp.error.not_authorized',
      expect.any(Array),
    ]);
    expect(await client.ask([32, 4, {}, 'com.b'])).toMatchObject([33, 4, expect.any(Number)]);
  });

  it('changes nothing when the file is wrong, and says what is', async () => {
    const before = await get('/old');
    expect(await reload('{ "version": 2, "workers": [{ "type": "rooter" }] }')).toMatchObject({ code: 1, ok: false });
    expect(await daemon.waitForLog('reload refused: the config before stays in force')).toBeDefined();
    expect(await get('/old')).toBe(before);
    const { stdout } = await runCli(['status', '--cbdir', daemon.cbdir, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ last_reload_successful: false });
  });

  it('lists what takes a restart, until the file says again what runs', async () => {
    const same = { paths: { old: json('old') } };
    expect(await reload({ ...same, title: 'x' })).toMatchObject({ code: 0, pending: ['/controller/options/title'] });
    const { stdout } = await runCli(['status', '--cbdir', daemon.cbdir]);
    expect(stdout).toContain('needs a restart: /controller/options/title');
    expect(await reload(same)).toMatchObject({ code: 0, pending: [] });
  });

  it('comes with SIGHUP, too', async () => {
    write(config({ paths: { more: json('new') } }));
    daemon.signal('SIGHUP');
    await daemon.waitForLog('config reloaded');
    expect(await get('/more')).toBe(200);
  });
});
