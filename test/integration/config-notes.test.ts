/** Configs of Crossbar.io in which something has no effect, as a user meets them: the node starts, and says so once. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { nodeDirectory, runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const NOTED = path.resolve(import.meta.dirname, '../fixtures/config/noted');

const daemons: Daemon[] = [];
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.dispose();
});

async function started(config: object): Promise<Daemon> {
  const daemon = await startDaemon({ config });
  daemons.push(daemon);
  return daemon;
}

/** @returns what the router answers to a HELLO. */
async function answerTo(daemon: Daemon, details: object): Promise<readonly unknown[]> {
  const client = await WampClient.connect(daemon.url('/ws', 'ws'));
  client.send([1, 'realm1', { roles: { caller: {} }, ...details }]);
  return client.next();
}

describe('check', () => {
  const config = path.join(NOTED, 'auth-cookie-contents.json');
  const lines = readFileSync(config.replace('.json', '.expected.txt'), 'utf8').trimEnd().split('\n');

  it('prints a note for each, and the config is right', async () => {
    const { code, stdout, stderr } = await runCli(['check', '--cbdir', temporaryDirectory(), '--config', config]);
    expect([code, stdout]).toEqual([0, `OK: ${config}\n`]);
    expect(stderr.split('\n').filter((line) => line.startsWith('note: '))).toEqual(
      lines.map((line) => `note: ${line}`),
    );
  });

  it.each(['check', 'start'])('%s --strict refuses the config with the same lines', async (command) => {
    const cbdir = temporaryDirectory();
    const { code, stdout, stderr } = await runCli([command, '--strict', '--cbdir', cbdir, '--config', config]);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: `${lines.join('\n')}\n` });
  });

  it('--strict has nothing against a config without notes, whatever the warnings are', async () => {
    const cbdir = nodeDirectory(nodeConfig({ websocket: { cookie: {} } }));
    const { code, stderr } = await runCli(['check', '--strict', '--cbdir', cbdir]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: /);
  });
});

describe('start', () => {
  it('logs each note once, with its place, and serves', async () => {
    const daemon = await started(nodeConfig({ websocket: { debug: true, options: { auto_ping_size: 4 } } }));
    const notes = daemon.logs.filter(({ msg }) => msg === 'config note');
    expect(notes).toMatchObject([
      {
        level: 'info',
        file: 'config.json',
        line: expect.any(Number) as number,
        column: expect.any(Number) as number,
        pointer: '/workers/0/transports/0/paths/ws/debug',
        note: expect.stringContaining('"debug" has no effect: ') as string,
      },
      {
        pointer: '/workers/0/transports/0/paths/ws/options/auto_ping_size',
        note: expect.stringContaining('12') as string,
      },
    ]);
    await WampClient.join(daemon.url('/ws', 'ws'));
  });

  it('without a transport the node runs until it is stopped', async () => {
    const daemon = await started({ version: 2 });
    expect(daemon.logs.filter(({ msg }) => msg === 'config note')).toHaveLength(1);
    expect(await daemon.stop()).toBe(0);
  });

  it('lets clients join a realm with a name of 2 characters', async () => {
    const roles = [{ name: 'anonymous', 'allow-by-default': true }];
    const daemon = await started(nodeConfig({ realms: [{ name: 'v1', roles }] }));
    await WampClient.join(daemon.url('/ws', 'ws'), 'v1');
  });
});

describe('clients that a note is about are refused, with the reason', () => {
  it.each([
    ['a role that is not there', { anonymous: { type: 'static', role: 'nobody' } }, {}, 'wamp.error.no_such_role'],
    ['a realm that is not there', { anonymous: { type: 'static', realm: 'other' } }, {}, 'wamp.error.no_such_realm'],
    [
      'an authenticator on a realm that is not there',
      { anonymous: { type: 'dynamic', authenticator: 'com.auth', 'authenticator-realm': 'other' } },
      {},
      'wamp.error.no_such_realm',
    ],
    [
      'an authenticator asked by a role that is not there',
      { anonymous: { type: 'dynamic', authenticator: 'com.auth', 'authenticator-role': 'nobody' } },
      {},
      'wamp.error.authentication_failed',
    ],
    [
      'a login by cookie where there are no cookies',
      { cookie: {} },
      { authmethods: ['cookie'] },
      'wamp.error.no_auth_method',
    ],
  ])('%s', async (_name, auth, details, reason) => {
    const daemon = await started(nodeConfig({ websocket: { auth } }));
    const [type, , uri] = await answerTo(daemon, details);
    expect([type, uri]).toEqual([3, reason]);
  });

  it('a key that is none keeps nobody out who has a right one', async () => {
    const authorized_keys = ['joe@example.com', '545efb0a2192db8d43f118e9bf9aee081466e1ef36c708b96ee6f62dddad9122'];
    const principals = { joe: { authorized_keys, role: 'anonymous' } };
    const daemon = await started(nodeConfig({ websocket: { auth: { cryptosign: { type: 'static', principals } } } }));
    const ask = (pubkey: string): Promise<readonly unknown[]> =>
      answerTo(daemon, { authmethods: ['cryptosign'], authid: 'joe', authextra: { pubkey } });
    expect((await ask(authorized_keys[1] ?? ''))[0]).toBe(4);
    expect((await ask('joe@example.com'))[0]).toBe(3);
  });
});

describe('a key that is there twice', () => {
  it('counts as it stands last', async () => {
    const port = JSON.stringify(LOOPBACK.port);
    const text = JSON.stringify(nodeConfig()).replace(`"port":${port}`, `"port":1,"port":${port}`);
    const daemon = await startDaemon({ config: text });
    daemons.push(daemon);
    expect(daemon.port).not.toBe(1);
    const [{ note } = { note: '' }] = daemon.logs.filter(({ msg }) => msg === 'config note');
    expect(note).toContain('is there twice');
  });
});
