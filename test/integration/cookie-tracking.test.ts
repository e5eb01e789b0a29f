/**
 * A browser is recognised by its cookie: what the daemon sends, what it accepts, what it keeps, and what becomes of
 * `authid`. Cookies travel in headers written by hand, so that also the odd ones of the table can be sent.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { nodeDirectory, startDaemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import type { HttpAnswer } from '../support/wamp-client.js';
import { cookieValue, HandshakeRefused, rawHttp, upgradeLines, WampClient } from '../support/wamp-client.js';

const FILE_STORE = { type: 'file', filename: 'cookies.dat' } as const;
const DEFAULT_FORM = /^cbtid=[A-Za-z0-9+/]{24}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/;

/** Every daemon of this file: the logs of all of them are searched at the end. */
const daemons: Daemon[] = [];

/** Starts a daemon for one test and ends it with the test. */
async function daemonWith(parts: Parameters<typeof nodeConfig>[0], cbdir?: string): Promise<Daemon> {
  const config = nodeConfig(parts);
  const daemon = await startDaemon({
    config,
    args: ['--loglevel', 'trace'],
    ...(cbdir !== undefined && { cbdir }),
  });
  onTestFinished(() => daemon.dispose());
  daemons.push(daemon);
  return daemon;
}

async function restart(daemon: Daemon): Promise<Daemon> {
  const again = await daemon.restart();
  onTestFinished(() => again.dispose());
  daemons.push(again);
  return again;
}

/** Every cookie id that a client of this file has seen, to look for them in the logs. */
const seen = new Set<string>();

interface Visit {
  readonly setCookie: string | undefined;
  /** The new id, or the one that was sent when there is no new one. */
  readonly cbtid: string | undefined;
  readonly authid: string;
}

/** Connects with a `Cookie` header, joins, leaves. */
async function visit(
  daemon: Daemon,
  { cookie, urlPath = '/ws', port }: { cookie?: string; urlPath?: string; port?: number } = {},
): Promise<Visit> {
  const url = port === undefined ? daemon.url(urlPath, 'ws') : `ws://127.0.0.1:${port}${urlPath}`;
  const client = await WampClient.join(url, 'realm1', { headers: cookie === undefined ? {} : { cookie } });
  const [setCookie, ...more] = client.handshake.setCookie;
  expect(more).toEqual([]);
  const cbtid = setCookie === undefined ? undefined : cookieValue(setCookie);
  if (cbtid !== undefined) seen.add(cbtid);
  await client.leave();
  return { setCookie, cbtid, authid: client.welcome.authid };
}

/** A first visit. @returns the id of the new cookie */
async function newCookie(daemon: Daemon, urlPath?: string): Promise<string> {
  const { cbtid } = await visit(daemon, urlPath === undefined ? {} : { urlPath });
  if (cbtid === undefined) throw new Error('a first visit got no cookie');
  return cbtid;
}

async function upgrade(daemon: Daemon, lines: readonly string[], urlPath = '/ws'): Promise<HttpAnswer> {
  const answer = await rawHttp(daemon.port, upgradeLines(urlPath, lines));
  answer.socket.destroy();
  const setCookie = answer.header('Set-Cookie');
  if (setCookie !== undefined) seen.add(cookieValue(setCookie));
  return answer;
}

function records(daemon: Daemon, file = 'cookies.dat'): readonly Readonly<Record<string, unknown>>[] {
  const lines = readFileSync(path.join(daemon.cbdir, file), 'utf8').split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('authid', () => {
  const cookie = {};

  it('is the cookie id without an auth section, on every visit', async () => {
    const daemon = await daemonWith({ websocket: { cookie } });
    const first = await visit(daemon);
    const second = await visit(daemon, { cookie: `cbtid=${String(first.cbtid)}` });
    expect([first.authid, second.authid]).toEqual([first.cbtid, first.cbtid]);
    expect(second.setCookie).toBeUndefined();
    expect((await visit(daemon)).authid).not.toBe(first.authid);
  });

  it('is the cookie id with auth.anonymous, and with an empty auth section', async () => {
    const daemon = await daemonWith({
      websocket: { cookie, auth: { anonymous: { type: 'static' } } },
      paths: { empty: { type: 'websocket', cookie, auth: {} } },
    });
    const first = await visit(daemon);
    expect(first.authid).toBe(first.cbtid);
    expect((await visit(daemon, { cookie: `cbtid=${String(first.cbtid)}` })).authid).toBe(first.cbtid);
    const empty = await visit(daemon, { urlPath: '/empty' });
    expect(empty.authid).toBe(empty.cbtid);
  });

  it('is that of auth.anonymous.authid where it is set; the cookie is tracked all the same', async () => {
    const daemon = await daemonWith({
      websocket: { cookie, auth: { anonymous: { type: 'static', authid: 'visitor' } } },
    });
    const first = await visit(daemon);
    expect([first.authid, first.setCookie]).toEqual(['visitor', expect.stringMatching(DEFAULT_FORM)]);
    const second = await visit(daemon, { cookie: `cbtid=${String(first.cbtid)}` });
    expect([second.authid, second.setCookie]).toEqual(['visitor', undefined]);
  });

  it('is a new random one each time without a cookie section', async () => {
    const daemon = await daemonWith({
      paths: { anonymous: { type: 'websocket', auth: { anonymous: { type: 'static' } } } },
    });
    for (const urlPath of ['/ws', '/anonymous']) {
      const visits = [
        await visit(daemon, { urlPath }),
        await visit(daemon, { urlPath, cookie: `cbtid=${'a'.repeat(24)}` }),
      ];
      expect(visits.map(({ setCookie }) => setCookie)).toEqual([undefined, undefined]);
      expect(new Set(visits.map(({ authid }) => authid)).size).toBe(2);
      expect(visits[1]?.authid).not.toBe('a'.repeat(24));
      expect(visits[0]?.authid).not.toBe('');
    }
  });

  it('cannot be chosen by the client', async () => {
    const daemon = await daemonWith({ websocket: { cookie } });
    const client = await WampClient.connect(daemon.url('/ws', 'ws'));
    const { welcome } = await client.hello('realm1', { authid: 'admin', authmethods: ['anonymous'] });
    const [line = ''] = client.handshake.setCookie;
    seen.add(cookieValue(line));
    expect(welcome.authid).toBe(cookieValue(line));
    await client.leave();
  });
});

describe('the Set-Cookie line', () => {
  it('has the documented default form, on the 101 itself', async () => {
    const daemon = await daemonWith({ websocket: { cookie: {} } });
    const answer = await upgrade(daemon, []);
    expect(answer.status).toBe(101);
    expect(answer.header('Set-Cookie')).toMatch(DEFAULT_FORM);
  });

  it('has every attribute that the config asks for', async () => {
    const daemon = await daemonWith({
      websocket: {
        cookie: {
          name: 'sid',
          length: 40,
          max_age: 3600,
          secure: true,
          http_strict: true,
          same_site: 'Strict',
          path: '/ws',
          domain: 'example.com',
        },
      },
      paths: { bare: { type: 'websocket', cookie: { http_only: false, length: 6 } } },
    });
    const full = (await upgrade(daemon, [])).header('Set-Cookie') ?? '';
    expect(full).toMatch(/^sid=[A-Za-z0-9+/]{40}; /);
    expect(new Set(full.split('; ').slice(1))).toEqual(
      new Set(['Max-Age=3600', 'Domain=example.com', 'Path=/ws', 'Secure', 'HttpOnly', 'SameSite=Strict']),
    );
    const bare = (await upgrade(daemon, [], '/bare')).header('Set-Cookie');
    expect(bare).toMatch(/^cbtid=[A-Za-z0-9+/]{6}; Max-Age=86400; Path=\/; SameSite=Lax$/);
  });
});

describe('the Cookie header', () => {
  let daemon: Daemon;
  let known: string;
  let other: string;
  const unknown = 'A'.repeat(24);
  beforeAll(async () => {
    daemon = await startDaemon({
      config: nodeConfig({
        websocket: { cookie: { store: FILE_STORE } },
        paths: { plain: { type: 'websocket' } },
        transports: [{ type: 'websocket', endpoint: LOOPBACK, cookie: { store: FILE_STORE } }],
      }),
      args: ['--loglevel', 'trace'],
    });
    daemons.push(daemon);
    [known, other] = [await newCookie(daemon), await newCookie(daemon)];
  });
  afterAll(() => daemon.dispose());

  const KNOWN = '{known}';
  const OTHER = '{other}';
  const fill = (line: string): string =>
    line.replaceAll(KNOWN, known).replaceAll(OTHER, other).replaceAll('{unknown}', unknown);

  it.each<[why: string, ...lines: string[]]>([
    ['alone', `Cookie: cbtid=${KNOWN}`],
    ['among others', `Cookie: a=1; cbtid=${KNOWN}; sid="x y"; b=2`],
    ['in quotes', `Cookie: cbtid="${KNOWN}"`],
    ['behind an unknown one of the same name', `Cookie: cbtid={unknown}; cbtid=${KNOWN}`],
    ['before an unknown one of the same name', `Cookie: cbtid=${KNOWN}; cbtid={unknown}`],
    ['before another known one: the first counts', `Cookie: cbtid=${KNOWN}; cbtid=${OTHER}`],
    ['on the second of two lines', 'Cookie: a=1', `Cookie: cbtid=${KNOWN}`],
    ['on the second line, with an unknown one on the first', 'Cookie: cbtid={unknown}', `Cookie: cbtid=${KNOWN}`],
    ['beside a name with a space', `Cookie: bad name=1; cbtid=${KNOWN}`],
    ['behind JSON', `Cookie: j={"a":1}; cbtid=${KNOWN}`],
    ['before JSON', `Cookie: cbtid=${KNOWN}; j={"a":1}`],
    ['behind a longer name that ends alike', `Cookie: j={"cbtid":1}; mycbtid=${OTHER}; cbtid=${KNOWN}`],
    ['without a space', `Cookie: a=1;cbtid=${KNOWN};b=2`],
    ['with spaces around', `Cookie:   a=1 ;   cbtid=${KNOWN}   `],
  ])('finds the cookie %s', async (_why, ...lines) => {
    const answer = await upgrade(daemon, lines.map(fill));
    expect([answer.status, answer.header('Set-Cookie')]).toEqual([101, undefined]);
    const headers = { cookie: lines.map((line) => fill(line).slice('Cookie: '.length)).join('; ') };
    const client = await WampClient.join(daemon.url('/ws', 'ws'), 'realm1', { headers });
    expect(client.welcome.authid).toBe(known);
    await client.leave();
  });

  it.each<[why: string, ...lines: string[]]>([
    ['no cookie'],
    ['an unknown id', 'Cookie: cbtid={unknown}'],
    ['an id that is too short', 'Cookie: cbtid=abc'],
    ['a known id with something behind', `Cookie: cbtid=${KNOWN}x`],
    ['4,096 characters', `Cookie: cbtid=${'A'.repeat(4096)}`],
    ['garbage', 'Cookie: ;;=='],
    ['a name without a value', 'Cookie: cbtid'],
    ['an empty value', 'Cookie: cbtid='],
    ['the name in capitals', `Cookie: CBTID=${KNOWN}`],
    ['a longer name', `Cookie: mycbtid=${KNOWN}; cbtid2=${KNOWN}`],
    ['a percent-encoded id', `Cookie: cbtid=%41${'A'.repeat(21)}`],
    ['words of JavaScript', 'Cookie: cbtid=__proto__; __proto__=cbtid; constructor=1'],
    ['two unknown ids', `Cookie: cbtid={unknown}; cbtid=${'B'.repeat(24)}`],
  ])('gives a new cookie for %s', async (_why, ...lines) => {
    const before = records(daemon).length;
    const answer = await upgrade(daemon, lines.map(fill));
    expect([answer.status, answer.header('Set-Cookie')]).toEqual([101, expect.stringMatching(DEFAULT_FORM)]);
    const cbtid = cookieValue(answer.header('Set-Cookie') ?? '');
    expect(lines.join()).not.toContain(cbtid);
    expect(
      records(daemon)
        .slice(before)
        .map((record) => record['cbtid']),
    ).toEqual([cbtid]);
  });

  it.each<[why: string, status: number, line: string]>([
    ['control characters', 400, 'Cookie: cbtid=\u0001\u0002'],
    ['a line of 40,000 characters', 431, `Cookie: cbtid=${'A'.repeat(40_000)}`],
  ])('refuses %s with %i and makes no record', async (_why, status, line) => {
    const before = records(daemon).length;
    expect((await upgrade(daemon, [line])).status).toBe(status);
    expect(records(daemon)).toHaveLength(before);
  });

  it.each<[why: string, ...lines: string[]]>([
    ['a subprotocol that nobody speaks', 'Sec-WebSocket-Protocol: chat'],
    ['an old version', 'Sec-WebSocket-Version: 12'],
    ['a bad key', 'Sec-WebSocket-Key: short'],
  ])('makes no record for a handshake refused for %s', async (_why, ...lines) => {
    const before = records(daemon).length;
    const answer = await upgrade(daemon, lines);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.header('Set-Cookie')).toBeUndefined();
    expect(records(daemon)).toHaveLength(before);
  });

  it('tracks nothing on a path without a cookie section', async () => {
    const before = records(daemon).length;
    const { setCookie, authid } = await visit(daemon, { urlPath: '/plain', cookie: `cbtid=${known}` });
    expect([setCookie, records(daemon).length]).toEqual([undefined, before]);
    expect(authid).not.toBe(known);
  });

  it('is read alike below the path, and on a websocket transport with the same file', async () => {
    expect((await visit(daemon, { urlPath: '/ws/below', cookie: `cbtid=${known}` })).authid).toBe(known);
    const port = daemon.listening()[1]?.['port'] as number;
    const elsewhere = await visit(daemon, { port, urlPath: '/anything', cookie: `cbtid=${known}` });
    expect([elsewhere.authid, elsewhere.setCookie]).toEqual([known, undefined]);
    const fresh = await visit(daemon, { port, urlPath: '/' });
    expect((await visit(daemon, { cookie: `cbtid=${String(fresh.cbtid)}` })).authid).toBe(fresh.cbtid);
  });

  it('makes no record for an origin that is not allowed', async () => {
    const strict = await daemonWith({
      websocket: { cookie: { store: FILE_STORE }, options: { allowed_origins: ['https://example.com'] } },
    });
    await newCookie(strict);
    const answer = await upgrade(strict, ['Origin: https://evil.example']);
    expect([answer.status, answer.header('Set-Cookie'), records(strict).length]).toEqual([403, undefined, 1]);
  });
});

describe('stores and time', () => {
  it('keeps authid over a restart with the file store, in Crossbar.io lines readable by the owner only', async () => {
    const daemon = await daemonWith({ websocket: { cookie: { store: FILE_STORE } } });
    const cbtid = await newCookie(daemon);
    const again = await restart(daemon);
    expect(await visit(again, { cookie: `cbtid=${cbtid}` })).toEqual({
      setCookie: undefined,
      cbtid: undefined,
      authid: cbtid,
    });
    const [text = ''] = readFileSync(path.join(again.cbdir, 'cookies.dat'), 'utf8').split('\n');
    expect(text).toMatch(
      /^\{"cbtid": "[^"]{24}", "status": "created", "created": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "modified": null, "deleted": null, "max_age": 86400, "authid": null, "authrole": null, "authmethod": null, "authrealm": null, "authextra": null, "returned": false\}$/,
    );
    expect(statSync(path.join(again.cbdir, 'cookies.dat')).mode & 0o077).toBe(0);
  });

  it('forgets everybody over a restart with the memory store', async () => {
    const daemon = await daemonWith({ websocket: { cookie: { store: { type: 'memory' } } } });
    const cbtid = await newCookie(daemon);
    expect((await visit(daemon, { cookie: `cbtid=${cbtid}` })).authid).toBe(cbtid);
    const again = await restart(daemon);
    const later = await visit(again, { cookie: `cbtid=${cbtid}` });
    expect(later.setCookie).toMatch(DEFAULT_FORM);
    expect(later.authid).toBe(later.cbtid);
    expect(later.authid).not.toBe(cbtid);
  });

  it('reads a file of Crossbar.io: live, expired and deleted cookies', async () => {
    const rest = '"authid": null, "authrole": null, "authmethod": null, "authrealm": null, "authextra": null}';
    const line = (cbtid: string, status: string, created: Date, deleted: string): string =>
      `{"cbtid": "${cbtid}", "status": "${status}", "created": "${created.toISOString()}", "modified": null, "deleted": ${deleted}, "max_age": 3600, ${rest}`;
    const [minute, day] = [new Date(Date.now() - 60_000), new Date(Date.now() - 86_400_000)];
    const [live, expired, gone] = ['liveNcusES/a1si68vzsFDuP', 'oldNcusES/a1si68vzsFDuPC', 'goneNcusES/a1si68vzsFDuP'];
    const lines = [
      line(live, 'created', minute, 'null'),
      line(expired, 'created', day, 'null'),
      line(gone, 'created', minute, 'null'),
      line(gone, 'deleted', minute, `"${minute.toISOString()}"`),
    ];
    const cbdir = nodeDirectory('');
    writeFileSync(path.join(cbdir, 'cookies.dat'), `${lines.join('\n')}\n`);
    const daemon = await daemonWith({ websocket: { cookie: { store: FILE_STORE } } }, cbdir);
    expect(await visit(daemon, { cookie: `cbtid=${live}` })).toEqual({
      setCookie: undefined,
      cbtid: undefined,
      authid: live,
    });
    for (const cookie of [expired, gone]) {
      const { setCookie, authid, cbtid } = await visit(daemon, { cookie: `cbtid=${cookie}` });
      expect(setCookie).toMatch(DEFAULT_FORM);
      expect([authid === cbtid, authid === cookie]).toEqual([true, false]);
    }
  });

  it('gives a new cookie when max_age is over, while the node runs', async () => {
    const daemon = await daemonWith({ websocket: { cookie: { max_age: 1 } } });
    const cbtid = await newCookie(daemon);
    let later = await visit(daemon, { cookie: `cbtid=${cbtid}` });
    while (later.setCookie === undefined) later = await visit(daemon, { cookie: `cbtid=${cbtid}` });
    expect(later.setCookie).toMatch(/^cbtid=[A-Za-z0-9+/]{24}; Max-Age=1; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(later.cbtid).not.toBe(cbtid);
  });
});

describe('plain HTTP', () => {
  const page = async (daemon: Daemon, urlPath: string, cookie?: string): Promise<HttpAnswer> =>
    rawHttp(daemon.port, [
      `GET ${urlPath} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: close',
      ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
    ]);

  it.each<[where: string, store: object]>([
    ['in memory', { type: 'memory' }],
    ['in a file', FILE_STORE],
  ])('hands the cookie out with the page, and the WebSocket knows it (%s)', async (_where, store) => {
    const daemon = await daemonWith({ transport: { cookie: { store } } });
    const first = await page(daemon, '/');
    expect([first.status, first.header('Set-Cookie')]).toEqual([200, expect.stringMatching(DEFAULT_FORM)]);
    const cbtid = cookieValue(first.header('Set-Cookie') ?? '');
    seen.add(cbtid);
    expect((await page(daemon, '/', `cbtid=${cbtid}`)).header('Set-Cookie')).toBeUndefined();
    expect(await visit(daemon, { cookie: `cbtid=${cbtid}` })).toEqual({
      setCookie: undefined,
      cbtid: undefined,
      authid: cbtid,
    });
  });

  it('tracks on a path with a cookie section of its own, and only there', async () => {
    const daemon = await daemonWith({
      paths: { tracked: { type: 'json', value: 1, cookie: { name: 'sid', store: FILE_STORE } } },
    });
    expect((await page(daemon, '/')).header('Set-Cookie')).toBeUndefined();
    const line = (await page(daemon, '/tracked')).header('Set-Cookie') ?? '';
    seen.add(cookieValue(line));
    expect(line).toMatch(/^sid=[A-Za-z0-9+/]{24}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(records(daemon).map(({ cbtid }) => cbtid)).toEqual([cookieValue(line)]);
  });
});

describe('a store that fails', () => {
  /** The kernel refuses every write of the daemon to a file beyond `bytes`: short write first, then an error. */
  function limitFileSize(daemon: Daemon, bytes: number | 'unlimited'): void {
    execFileSync('prlimit', ['--pid', String(daemon.pid), `--fsize=${bytes}:`]);
  }

  it('refuses new visitors with 503 and a log line, knows the old ones, and recovers without restart', async () => {
    const daemon = await daemonWith({
      websocket: { cookie: { store: FILE_STORE } },
      transport: { cookie: { store: FILE_STORE } },
    });
    const known = await newCookie(daemon);
    const file = path.join(daemon.cbdir, 'cookies.dat');
    const { size } = statSync(file);
    limitFileSize(daemon, size + 100);

    const refused = await WampClient.connect(daemon.url('/ws', 'ws')).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(HandshakeRefused);
    expect(refused).toMatchObject({ status: 503 });
    expect((refused as HandshakeRefused).headers['set-cookie']).toBeUndefined();
    const plain = await rawHttp(daemon.port, ['GET / HTTP/1.1', 'Host: 127.0.0.1', 'Connection: close']);
    expect([plain.status, plain.header('Set-Cookie')]).toEqual([503, undefined]);
    await daemon.waitForLog(({ level, msg }) => level === 'error' && msg.includes('cookie store'));
    expect((await visit(daemon, { cookie: `cbtid=${known}` })).authid).toBe(known);
    // That the browser has come back is written behind the answer: half a line is there until it is taken away again.
    await expect.poll(() => readFileSync(file, 'utf8').split('\n')).toEqual([expect.stringContaining(known), '']);

    limitFileSize(daemon, 'unlimited');
    const later = await newCookie(daemon);
    expect(records(daemon).map(({ cbtid }) => cbtid)).toEqual([known, later]);
    const again = await restart(daemon);
    for (const cbtid of [known, later]) expect((await visit(again, { cookie: `cbtid=${cbtid}` })).authid).toBe(cbtid);
  });

  it('refuses many at once, each of them', async () => {
    const daemon = await daemonWith({ websocket: { cookie: { store: FILE_STORE } } });
    limitFileSize(daemon, 0);
    const answers = await Promise.all(Array.from({ length: 20 }, () => upgrade(daemon, [])));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    expect(records(daemon)).toEqual([]);
  });
});

describe('logs', () => {
  it('never contain a cookie id or a Cookie header, not even at level trace', async () => {
    const daemon = await daemonWith({
      websocket: { cookie: { store: FILE_STORE } },
      transport: { cookie: { store: FILE_STORE } },
    });
    const ids = [await newCookie(daemon), await newCookie(daemon)];
    for (const id of ids) await visit(daemon, { cookie: `cbtid=${id}; secret=Sup3rS3cretNeighbour` });
    const unknown = 'Unknown0Unknown0Unknown0';
    ids.push(unknown, (await visit(daemon, { cookie: `cbtid=${unknown}` })).cbtid ?? '');
    await upgrade(daemon, ['Sec-WebSocket-Protocol: chat', `Cookie: cbtid=${String(ids[0])}`]);
    const [talker, listener] = await Promise.all(
      ids
        .slice(0, 2)
        .map((id) => WampClient.join(daemon.url('/ws', 'ws'), 'realm1', { headers: { cookie: `cbtid=${id}` } })),
    );
    await listener?.ask([32, 1, {}, 'com.example.topic']);
    talker?.send([16, 1, {}, 'com.example.topic', ['hello']]);
    await listener?.next();
    talker?.send('[]');
    await talker?.closed;
    await listener?.leave();
    await daemon.stop();
    expect(daemon.logs.length).toBeGreaterThan(5);
    for (const id of [...ids, 'Sup3rS3cretNeighbour'])
      expect(daemon.output.includes(id), 'an id in the log').toBe(false);
  });

  it('contain no id that any client of this file has seen, in any daemon', () => {
    expect(seen.size).toBeGreaterThan(10);
    expect(daemons.length).toBeGreaterThan(5);
    const leaks = daemons.flatMap(({ output }, index) =>
      [...seen].filter((id) => output.includes(id)).map(() => index),
    );
    expect(leaks).toEqual([]);
  });
});
