/** `crossbar-ts cookies`, on stopped nodes and running ones, and the control socket behind it. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync, appendFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { cookieDigest } from '../../src/cookie/digest.js';
import { liveLine } from '../../src/cookie/file/line.js';
import type { CookieRecord } from '../../src/cookie/store.js';
import { cookieId, cookieRecord, JOE } from '../support/cookie-store.js';
import { nodeDirectory, runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { CliResult, Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { cookieValue, WampClient } from '../support/wamp-client.js';
import type { JoinedClient } from '../support/wamp-client.js';

const FIXTURES = path.join(import.meta.dirname, '../fixtures/cookies');
const FILE_STORE = { type: 'file', filename: 'cookies.dat' };

/** Store 1 is a file, store 2 a database, store 3 of a running node is in memory. */
function config(): object {
  const paths = {
    other: { type: 'websocket', cookie: { name: 'other', store: { type: 'database', path: 'db' } } },
    forgetful: { type: 'websocket', cookie: { name: 'third' } },
  };
  return nodeConfig({ websocket: { cookie: { store: FILE_STORE } }, paths });
}

function cookies(cbdir: string, command: string, ...args: string[]): Promise<CliResult> {
  return runCli(['cookies', command, '--cbdir', cbdir, ...args]);
}

/** What a command prints when all is well. */
async function printed(cbdir: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cookies(cbdir, command, ...args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

async function listed(cbdir: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const lines = (await printed(cbdir, 'list', '--json', ...args)).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A record that is alive now. */
function record(n: number, change: Partial<CookieRecord> = {}): CookieRecord {
  return cookieRecord(cookieId(n), { created: new Date().toISOString(), ...change });
}

function fileOf(cbdir: string): string {
  return path.join(cbdir, 'cookies.dat');
}

/** A stopped node with three cookies, one of them joe's, one expired. */
function stoppedNode(): string {
  const cbdir = nodeDirectory(config());
  const records = [record(1), record(2, { auth: JOE }), record(3, { created: '2020-01-01T00:00:00.000Z' })];
  writeFileSync(fileOf(cbdir), records.map(liveLine).join(''), { mode: 0o600 });
  return cbdir;
}

describe('a stopped node', () => {
  it('shows its cookies by digests, never by ids', async () => {
    const cbdir = stoppedNode();
    const text = await printed(cbdir, 'list');
    const [headings, first, second, ...more] = text.trimEnd().split('\n');
    expect(headings).toMatch(/^STORE +DIGEST +CREATED +EXPIRES +AUTHID +ROLE +REALM +METHOD +SESSIONS$/);
    expect(first).toMatch(new RegExp(`^1 +${cookieDigest(cookieId(1))} .* - +- +- +- +0$`));
    expect(second).toMatch(/ joe +frontend +realm1 +wampcra +0$/);
    expect(more).toEqual([]);
    expect(text).not.toContain(cookieId(1));
    expect(await listed(cbdir, '--store', '1')).toEqual([
      expect.objectContaining({ store: 1, digest: cookieDigest(cookieId(1)), authid: null }),
      expect.objectContaining({ authid: 'joe', authrole: 'frontend', authrealm: 'realm1', authmethod: 'wampcra' }),
    ]);
    expect(await printed(cbdir, 'list', '--store', '2')).toBe('no cookies\n');
  });

  it('logs a user out for good, or a single browser, or all', async () => {
    const cbdir = stoppedNode();
    expect(await printed(cbdir, 'revoke', '--authid', 'joe')).toBe('1 cookie revoked\n');
    expect(await printed(cbdir, 'revoke', '--authid', 'joe')).toBe('0 cookies revoked\n');
    expect((await listed(cbdir)).map(({ digest }) => digest)).toEqual([cookieDigest(cookieId(1))]);
    const unknown = cookieDigest('nobody');
    const { code, stderr } = await cookies(cbdir, 'revoke', '--digest', unknown);
    expect([code, stderr]).toEqual([1, `crossbar-ts: there is no cookie ${unknown}\n`]);
    expect(await printed(cbdir, 'revoke', '--digest', cookieDigest(cookieId(1)))).toBe('1 cookie revoked\n');
    appendFileSync(fileOf(cbdir), [5, 6].map((n) => liveLine(record(n))).join(''));
    expect(await printed(cbdir, 'revoke', '--all')).toBe('2 cookies revoked\n');
    expect(await printed(cbdir, 'list')).toBe('no cookies\n');
    const refused = await cookies(cbdir, 'revoke', '--all', '--authid', 'joe');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      'crossbar-ts: say which cookies are meant: one of --authid, --digest and --all\n',
    ]);
  });

  it('is verified without being touched: exit 1 for damage', async () => {
    const cbdir = stoppedNode();
    await printed(cbdir, 'import', '--from', path.join(FIXTURES, 'crossbar-purged.dat'), '--to', '2');
    const good = await printed(cbdir, 'verify', '--store', '1');
    expect(good).toBe(
      `store 1 (file ${fileOf(cbdir)}): 3 good, 0 damaged, 0 outdated; 3 cookies, 1 with a login, 1 expired\n`,
    );
    appendFileSync(fileOf(cbdir), `${liveLine(record(1))}damaged\n`);
    const content = readFileSync(fileOf(cbdir));
    const { code, stdout } = await cookies(cbdir, 'verify');
    expect(code).toBe(1);
    expect(stdout.split('\n')[0]).toContain('4 good, 1 damaged, 1 outdated; 3 cookies');
    expect(stdout.split('\n')[1]).toMatch(/^store 2 \(database .*db\): /);
    expect(readFileSync(fileOf(cbdir))).toEqual(content);
    const missing = await cookies(nodeDirectory(config()), 'verify', '--store', '1');
    expect(missing.code).toBe(1);
    expect(missing.stdout).toContain('ENOENT');
  });

  it('is compacted', async () => {
    const cbdir = stoppedNode();
    appendFileSync(fileOf(cbdir), liveLine(record(1)).repeat(10));
    const [file, database] = (await printed(cbdir, 'compact')).split('\n');
    expect(file).toBe(`store 1 (file ${fileOf(cbdir)}): 13 entries before, 2 now`);
    expect(database).toContain('0 entries before, 0 now');
    expect(readFileSync(fileOf(cbdir), 'utf8').trimEnd().split('\n')).toHaveLength(2);
  });

  it('takes cookies over, from Crossbar.io and between its stores, and revives nobody', async () => {
    const cbdir = stoppedNode();
    const from = path.join(temporaryDirectory(), 'crossbar.dat');
    copyFileSync(path.join(FIXTURES, 'crossbar-logout.dat'), from);
    const recent = liveLine(record(7, { auth: JOE })).replace(
      /"status": "\w+", |"modified": null, |"deleted": null, /g,
      '',
    );
    appendFileSync(from, `${recent}torn`);
    expect(await printed(cbdir, 'import', '--from', from, '--to', '1')).toBe(
      '1 imported; 0 known already, 0 expired, 1 damaged\n',
    );
    expect(await printed(cbdir, 'import', '--from', from, '--to', '1')).toContain('0 imported; 1 known already');
    await printed(cbdir, 'revoke', '--digest', cookieDigest(cookieId(7)));
    expect(await printed(cbdir, 'import', '--from', from, '--to', '1')).toContain('0 imported; 1 known already');
    expect(await printed(cbdir, 'import', '--from', fileOf(cbdir), '--to', '2')).toContain(
      '2 imported; 0 known already',
    );
    expect((await listed(cbdir)).map(({ store, authid }) => [store, authid])).toEqual([
      [1, null],
      [1, 'joe'],
      [2, null],
      [2, 'joe'],
    ]);
    const empty = nodeDirectory(config());
    expect(await printed(empty, 'import', '--from', path.join(cbdir, 'db'), '--to', '1')).toContain('2 imported');
    const { code, stderr } = await cookies(empty, 'import', '--from', from);
    expect([code, stderr]).toEqual([1, expect.stringContaining('into which store? Say --to with a number: 1 (file ')]);
    expect((await cookies(empty, 'import', '--from', 'nothing', '--to', '1')).stderr).toContain(
      'cannot be read: ENOENT',
    );
    expect((await cookies(empty, 'import', '--from', from, '--to', '3')).stderr).toContain(
      'there is no cookie store 3',
    );
  });

  it('is left alone while another process has its file', async () => {
    const cbdir = stoppedNode();
    const daemon = await startDaemon({ config: config() });
    onTestFinished(() => daemon.dispose());
    writeFileSync(
      path.join(cbdir, 'config.json'),
      JSON.stringify(
        nodeConfig({
          websocket: { cookie: { store: { type: 'file', filename: fileOf(daemon.cbdir) } } },
        }),
      ),
    );
    const { code, stderr } = await cookies(cbdir, 'revoke', '--all');
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^crossbar-ts: .*in use by process ${daemon.pid}.*\n$`));
  });
});

describe('a running node', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await startDaemon({ config: config() });
  });
  afterAll(() => daemon.dispose());

  /** @returns a client that stays, and the digest of its cookie. */
  async function visitor(urlPath: string): Promise<{ client: JoinedClient; digest: string }> {
    const client = await WampClient.join(daemon.url(urlPath, 'ws'), 'realm1');
    const [setCookie = ''] = client.handshake.setCookie;
    return { client, digest: cookieDigest(cookieValue(setCookie)) };
  }

  it('shows the cookies of all its stores, with their sessions', async () => {
    const [a, b, c] = [await visitor('/ws'), await visitor('/other'), await visitor('/forgetful')];
    const found = await listed(daemon.cbdir);
    expect(found.map(({ store, digest }) => [store, digest])).toEqual([
      [1, a.digest],
      [2, b.digest],
      [3, c.digest],
    ]);
    expect(found.map(({ sessions }) => sessions)).toEqual([a, b, c].map(({ client }) => [client.sessionId]));
    for (const { client } of [a, b, c]) await client.leave();
  });

  it('ends the sessions of whoever is logged out', async () => {
    const [a, b] = [await visitor('/ws'), await visitor('/ws')];
    const ended = a.client.closed;
    expect(await printed(daemon.cbdir, 'revoke', '--digest', a.digest)).toBe('1 cookie revoked\n');
    await ended;
    expect((await listed(daemon.cbdir)).map(({ digest }) => digest)).not.toContain(a.digest);
    const allEnded = b.client.closed;
    await printed(daemon.cbdir, 'revoke', '--all');
    await allEnded;
    expect(await printed(daemon.cbdir, 'list')).toBe('no cookies\n');
    expect(daemon.logs.filter(({ msg }) => msg === 'cookies revoked').length).toBeGreaterThan(1);
  });

  it('is verified and compacted, and takes cookies over', async () => {
    const from = path.join(temporaryDirectory(), 'more.dat');
    writeFileSync(from, [11, 12, 13].map((n) => liveLine(record(n))).join(''));
    expect(await printed(daemon.cbdir, 'import', '--from', from, '--to', '1')).toContain('3 imported');
    expect(await printed(daemon.cbdir, 'import', '--from', from, '--to', '2')).toContain('3 imported');
    expect(await printed(daemon.cbdir, 'verify', '--store', '1')).toContain(' 0 damaged');
    expect(await printed(daemon.cbdir, 'verify', '--store', '2')).toContain('0 damaged, 0 outdated; 3 cookies');
    expect(await printed(daemon.cbdir, 'compact', '--store', '1')).toMatch(/: \d+ entries before, 3 now\n$/);
    expect(await printed(daemon.cbdir, 'compact', '--store', '3')).toBe('store 3 (memory): nothing to compact\n');
    const { code, stderr } = await cookies(daemon.cbdir, 'compact', '--store', '9');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('crossbar-ts: there is no cookie store 9: there are 1 ('),
    ]);
  });

  it('has a socket that only its owner can open, and survives what comes through it', async () => {
    const file = path.join(daemon.cbdir, 'node.sock');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const ask = async (text: string): Promise<string> => {
      const socket = connect(file);
      socket.setEncoding('utf8');
      let answer = '';
      socket.on('data', (data: string) => (answer += data));
      socket.end(text);
      await once(socket, 'close');
      return answer;
    };
    expect(await ask('{"do":"nonsense"}\n{"do":"cookies.compact","with":{"store":9}}\n')).toMatch(
      /^\{"error":"this node does not know the request \\"nonsense\\""\}\n\{"error":"there is no cookie store 9.*"\}\n$/,
    );
    expect(await ask('nonsense\n')).toBe('{"error":"not a line of JSON"}\n');
    expect(await ask('[]\n')).toBe('{"error":"not a JSON object"}\n');
    expect(await ask('{"do":"constructor"}\n')).toContain('does not know');
    expect(await ask('{"do":"cookies.revoke"}\n')).toContain('say which cookies are meant');
    expect(await ask('{"do":"cookies.list","with":{"store":"1"}}\n')).toContain('must be a number');
    expect(await ask('x'.repeat(100_000))).toBe('');
    expect(await listed(daemon.cbdir, '--store', '1')).toHaveLength(3);
  });

  it('takes the socket away when it stops, and replaces one that a crash has left', async () => {
    const file = path.join(daemon.cbdir, 'node.sock');
    await daemon.kill();
    expect(existsSync(file)).toBe(true);
    expect(await listed(daemon.cbdir, '--store', '1')).toHaveLength(3);
    daemon = await daemon.restart();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await listed(daemon.cbdir, '--store', '1')).toHaveLength(3);
    expect(await daemon.stop()).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  it('runs without a socket where its path would be too long, and says so', async () => {
    const cbdir = path.join(temporaryDirectory(), 'x'.repeat(120));
    mkdirSync(cbdir);
    const realms = [{ name: 'realm1', roles: [{ name: 'anonymous' }] }];
    const config = nodeConfig({ realms, websocket: { cookie: { store: FILE_STORE } } });
    const deep = await startDaemon({ cbdir, config });
    onTestFinished(() => deep.dispose());
    expect(deep.logs.filter(({ level }) => level === 'warn').map(({ msg }) => msg)).toEqual([
      'no control socket: commands cannot reach this node',
    ]);
    const { code, stderr } = await cookies(cbdir, 'list');
    expect([code, stderr]).toEqual([1, expect.stringContaining(`in use by process ${deep.pid}`)]);
  });
});
