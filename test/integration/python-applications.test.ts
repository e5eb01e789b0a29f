/** Web applications of Python on the real daemon, with Debian's Python, Twisted and Flask. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { spawnDaemon, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { HttpWire } from '../support/http-server.js';
import { describeNeeds, itNeeds } from '../support/needs.js';
import { LOOPBACK } from '../support/node-config.js';
import { isAlive, untilGone } from '../support/processes.js';
import { hasAutobahn, PYTHON, pythonConfig, pythonDirectory } from '../support/python.js';
import type { PythonNodeParts } from '../support/python.js';
import { WampClient } from '../support/wamp-client.js';

const daemons: Daemon[] = [];
afterAll(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

const WSGI = { type: 'wsgi', module: 'web', object: 'application' };
const GOES_ON = { options: { shutdown: 'shutdown_on_shutdown_requested' } };
const hasFlask = spawnSync(PYTHON, ['-c', 'import flask']).status === 0;

type Files = Readonly<Record<string, string>>;
interface Parts extends PythonNodeParts {
  readonly components?: readonly (string | object)[];
  readonly files?: Files;
  readonly env?: Readonly<Record<string, string>>;
}

/** Applications at paths; `TMPDIR` is a directory of the test, so that it sees what is left there. */
function optionsOf(paths: object, { components = [], files, env = {}, ...parts }: Parts) {
  const temporary = temporaryDirectory();
  return {
    temporary,
    options: {
      cbdir: pythonDirectory(files),
      config: pythonConfig(components, { paths, ...parts }),
      env: { TMPDIR: temporary, ...env },
    },
  };
}

async function started(paths: object, parts: Parts = {}): Promise<Daemon & { readonly temporary: string }> {
  const { options, temporary } = optionsOf(paths, parts);
  const daemon = await startDaemon(options);
  daemons.push(daemon);
  return Object.assign(daemon, { temporary });
}

/** A node that does not start, when it has ended. */
async function failed(paths: object, parts: Parts = {}): Promise<Daemon> {
  const { options, temporary } = optionsOf(paths, parts);
  const daemon = spawnDaemon(options);
  daemons.push(daemon);
  expect((await daemon.exited).code).toBe(1);
  expect(socketsIn(temporary)).toEqual([]);
  return daemon;
}

interface Asked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: () => Record<string, unknown>;
}

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

async function ask(url: string, { body, ...options }: Asking = {}): Promise<Asked> {
  const req = request(url, options);
  req.end(body);
  return answerOf(req);
}

async function answerOf(req: ReturnType<typeof request>): Promise<Asked> {
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of res as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const { statusCode = 0, headers } = res;
  return {
    status: statusCode,
    headers,
    body: bytes,
    json: () => JSON.parse(bytes.toString()) as Record<string, unknown>,
  };
}

const hostPid = (daemon: Daemon): number =>
  Number(daemon.logs.find(({ msg }) => msg === 'component host started')?.['pid']);
const socketsIn = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.startsWith('crossbar-ts-web-'));

const describePython = describeNeeds('python3-autobahn', hasAutobahn);

describePython('a WSGI application', () => {
  let daemon: Awaited<ReturnType<typeof started>>;
  const at = (url: string): string => daemon.url(url);
  it('is there when the transport is, beside a component of its process', async () => {
    daemon = await started(
      {
        '/': WSGI,
        deep: { type: 'path', paths: { app: { ...WSGI, options: { max_body: 10_000_000 } } } },
        few: { ...WSGI, maxthreads: 1, options: { max_requests: 2, timeout: 1, pass_cookie: true }, cookie: {} },
        res: { type: 'resource', classname: 'web.Node', extra: { a: [1] } },
      },
      { components: ['web.Adder'], websocket: { cookie: { name: 'seen' } } },
    );
    const messages = daemon.logs.map(({ msg }) => msg);
    expect(messages.lastIndexOf('component started')).toBeLessThan(messages.indexOf('web application started'));
    expect(messages.lastIndexOf('web application started')).toBeLessThan(messages.indexOf('transport started'));
    expect(messages.filter((msg) => msg === 'component host started')).toHaveLength(1);
    const [name = ''] = socketsIn(daemon.temporary);
    const directory = path.join(daemon.temporary, name);
    const modes = [directory, path.join(directory, '1')].map((file) => statSync(file).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600]);
    expect(daemon.logs.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it.each([
    ['/env', { SCRIPT_NAME: '', PATH_INFO: '/env' }],
    ['/', { body: 'hello' }],
    ['/env/', { SCRIPT_NAME: '', PATH_INFO: '/env/' }],
    ['/deep/app/env?x=%31&y', { SCRIPT_NAME: '/deep/app', PATH_INFO: '/env', QUERY_STRING: 'x=%31&y' }],
    ['/deep/app', { body: 'hello' }],
    ['/%65nv', { PATH_INFO: '/env' }],
  ])('has its place in %s', async (url, expected) => {
    const answer = await ask(at(url));
    expect(answer.status).toBe(200);
    expect(url.includes('nv') ? answer.json() : { body: answer.body.toString() }).toMatchObject(expected);
  });

  it('is told who asks, and by nobody else', async () => {
    const headers = {
      ...{ 'Crossbar-Ts-Request': '{"client":["6.6.6.6",1],"host":["evil",1],"secure":true,"mounted":0}' },
      ...{ Crossbar_Ts_Request: 'x', 'X-Forwarded-For': '6.6.6.6', X_Forwarded_For: '6.6.6.6', Proxy: 'http://evil' },
      ...{ 'X-Forwarded-Proto': 'https', 'X-Real-IP': '6.6.6.6', Forwarded: 'for=6.6.6.6', TE: 'trailers' },
      ...{ Cookie: 'seen=secret; q=1', Host: 'example.com:81', Connection: 'close, X-Mine', 'X-Mine': '1' },
    };
    const env = (await ask(at('/env'), { headers })).json();
    expect(env).toMatchObject({
      ...{ REMOTE_ADDR: '127.0.0.1', SERVER_NAME: 'example.com', SERVER_PORT: String(daemon.port) },
      ...{ 'wsgi.url_scheme': 'http', HTTP_HOST: 'example.com:81', HTTP_COOKIE: 'q=1', REQUEST_METHOD: 'GET' },
      ...{ HTTP_X_FORWARDED_FOR: '127.0.0.1', HTTP_X_FORWARDED_PROTO: 'http', HTTP_X_REAL_IP: '127.0.0.1' },
    });
    const forged = Object.keys(env).filter((name) => /CROSSBAR|PROXY|FORWARDED$|HTTP_TE|MINE|CONNECTION/.test(name));
    expect(forged).toEqual([]);
    expect(JSON.stringify(env)).not.toMatch(/6\.6\.6\.6|evil|secret/);
  });

  it('sees the cookie of the node where the config says so', async () => {
    const env = (await ask(at('/few/env'), { headers: { cookie: 'cbtid=unknown; seen=x' } })).json();
    expect(env['HTTP_COOKIE']).toBe('cbtid=unknown; seen=x');
  });

  it('gets bodies with their length, also those that came in chunks', async () => {
    for (const headers of [{ 'Content-Length': '5' }, { 'Transfer-Encoding': 'chunked' }]) {
      const answer = await ask(at('/echo'), { method: 'POST', headers, body: 'hello' });
      expect([answer.body.toString(), answer.headers['x-length']]).toEqual(['hello', '5']);
    }
    const none = await ask(at('/echo'), { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } });
    expect([none.body.toString(), none.headers['x-length']]).toEqual(['', '0']);
  });

  it('gets a form as it is, also one that is none', async () => {
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x' };
    const answer = await ask(at('/form'), { method: 'POST', headers, body: 'no parts at all' });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'no parts at all']);
  });

  it('takes 5 MB and gives them back; more than it may have is refused', async () => {
    const body = Buffer.alloc(5_000_000, 'five megabytes');
    expect((await ask(at('/deep/app/echo'), { method: 'PUT', body })).body.equals(body)).toBe(true);
    const chunked = { 'Transfer-Encoding': 'chunked' };
    expect((await ask(at('/deep/app/echo'), { method: 'PUT', headers: chunked, body })).body.equals(body)).toBe(true);
    const tooLarge = Buffer.alloc(10_000_001);
    expect((await ask(at('/deep/app/echo'), { method: 'POST', body: tooLarge })).status).toBe(413);
  });

  it('waits with its body for 100 Continue', async () => {
    const req = request(at('/echo'), { method: 'POST', headers: { Expect: '100-continue', 'Content-Length': '5' } });
    req.flushHeaders();
    await once(req, 'continue');
    req.end('hello');
    expect((await answerOf(req)).body.toString()).toBe('hello');
  });

  it('answers HEAD without a body, and sets two cookies', async () => {
    const head = await ask(at('/env'), { method: 'HEAD' });
    expect([head.status, head.body.length, Number(head.headers['content-length']) > 100]).toEqual([200, 0, true]);
    const { headers } = await ask(at('/cookies'));
    expect(headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2']);
    expect(headers.server).toBeUndefined();
  });

  it('streams: the first part is there before the last one is made', async () => {
    const req = request(at('/stream')).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    res.setEncoding('utf8');
    const parts = res[Symbol.asyncIterator]() as AsyncIterator<string>;
    expect((await parts.next()).value).toBe('first\n');
    await ask(at('/release'));
    expect((await parts.next()).value).toBe('last\n');
  });

  it('may write in both ways', async () => {
    expect((await ask(at('/write'))).body.toString()).toBe('written and returned');
  });

  it('works on ten requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(at('/together'))));
    expect(answers.map(({ body }) => body.toString())).toEqual(Array.from({ length: 10 }, () => 'together'));
  });

  it('calls a procedure of the component beside it', async () => {
    expect((await ask(at('/add'))).body.toString()).toBe('5');
  });

  it('that fails is answered with 500, or cut where it has begun, and told with its traceback', async () => {
    expect((await ask(at('/fail'))).status).toBe(500);
    await expect(ask(at('/cut'))).rejects.toThrow();
    for (const text of ['it {failed}', 'in the middle']) {
      const told = await daemon.waitForLog(({ trace }) => String(trace).includes(`ValueError: ${text}`));
      expect(told).toMatchObject({ level: 'error', line: 'WSGI application error' });
    }
    expect(await daemon.waitForLog('web application does not answer')).toMatchObject({
      ...{ level: 'warn', service: 'wsgi', application: 'web.application', path: '/cut', reason: 'the answer was cut' },
    });
  });

  it('writes lines to the log', async () => {
    await ask(at('/errors'));
    for (const line of ['told {to} the log', 'and more']) {
      expect(await daemon.waitForLog((record) => record['line'] === line)).toMatchObject({ level: 'error' });
    }
  });

  it.each([
    [400, 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    [400, 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n'],
    [400, 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
    [400, 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello'],
    [400, 'GET /env HTTP/1.1\r\nHost: a\r\nX: a\n\nGET /release HTTP/1.1\r\n\r\n'],
    [501, 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n'],
  ])('is not asked by requests that two servers read in two ways: %i %j', async (status, text) => {
    const wire = await HttpWire.open(daemon.port);
    wire.socket.write(text);
    expect((await wire.closed()).split('\r\n', 1)).toEqual([expect.stringMatching(`^HTTP/1.1 ${status} `)]);
  });

  it('gets as many headers as the node takes', async () => {
    const headers = Object.fromEntries(Array.from({ length: 1200 }, (_, index) => [`X-${index}`, '1']));
    const env = (await ask(at('/env'), { headers })).json();
    expect(Object.keys(env).filter((name) => name.startsWith('HTTP_X_')).length).toBeGreaterThanOrEqual(1200);
  });

  it('has its thread back when a client does not read an answer of less than a MiB', async () => {
    const [name = ''] = socketsIn(daemon.temporary);
    const lazy = connect(path.join(daemon.temporary, name, '3'));
    const facts = '{"client":["1.2.3.4",5],"host":["a",80],"secure":false,"mounted":1}';
    lazy.pause();
    lazy.write(`GET /few/large HTTP/1.1\r\nHost: a\r\nCrossbar-Ts-Request: ${facts}\r\n\r\n`);
    await once(lazy, 'readable');
    // There is one thread.
    expect((await ask(at('/few/env'))).status).toBe(200);
    let bytes = 0;
    for await (const chunk of lazy as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > 900_000) break;
    }
    lazy.destroy();
  });

  it('is asked by the node alone: others do not know what to say', async () => {
    const [name = ''] = socketsIn(daemon.temporary);
    for (const header of ['', 'Crossbar-Ts-Request: {}\r\n', 'Crossbar-Ts-Request: 1\r\nCrossbar-Ts-Request: 1\r\n']) {
      const stranger = connect(path.join(daemon.temporary, name, '1'));
      stranger.setEncoding('latin1').write(`GET /env HTTP/1.1\r\nHost: a\r\n${header}\r\n`);
      const [answer] = (await once(stranger, 'data')) as [string];
      expect(answer).toMatch(/^HTTP\/1.1 400 /);
      stranger.destroy();
    }
  });

  it('may be slow: 504 in time, and no more at once than the config says', async () => {
    const slow = [ask(at('/few/sleep')), ask(at('/few/sleep'))];
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([504, 504]);
    // Its threads are still at work, and the node knows nothing of that.
    const busy = await ask(at('/few/env'));
    expect([busy.status, busy.headers['retry-after']]).toEqual([503, '5']);
  });

  it.each([
    ['/res', ['res'], []],
    ['/res/', ['res', ''], []],
    ['/res/a%20b/c?x=1', ['res', 'a b', 'c'], ['x']],
  ])('beside a resource with children: %s', async (url, prepath, args) => {
    const shown = (await ask(at(url))).json();
    const base = `http://127.0.0.1:${daemon.port}/`;
    expect(shown).toMatchObject({ extra: { a: [1] }, prepath, postpath: [], client: '127.0.0.1', args, secure: false });
    expect(shown['url']).toBe(base + prepath.map(encodeURIComponent).join('/'));
  });

  it('beside a resource, for which Twisted takes forms apart', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect((await ask(at('/res'), { method: 'POST', headers, body: 'b=1&a=2' })).body.toString()).toBe('a,b');
    expect((await ask(at('/res'), { method: 'DELETE' })).status).toBe(501);
  });

  it('does not run ahead of a client that does not read, and stops when it leaves', async () => {
    const lazy = connect(daemon.port, '127.0.0.1');
    lazy.pause();
    lazy.write('GET /much HTTP/1.1\r\nHost: a\r\n\r\n');
    let parts = 0;
    // It has come as far as it gets when a look later it is still there.
    for (let before = -1; before !== parts || parts === 0;) {
      before = parts;
      for (let look = 0; look < 20; look++) parts = Number((await ask(at('/state'))).json()['parts']);
    }
    expect(parts).toBeLessThan(20);
    lazy.destroy();
    const req = request(at('/endless')).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    await once(res, 'data');
    req.destroy();
    await daemon.waitForLog(({ line }) => line === 'closed 1');
  });

  it('leaves nothing behind after a thousand requests', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const many = async (count: number): Promise<void> => {
      const statuses = Array.from({ length: count }, async () => (await ask(at('/'), { agent })).status);
      expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]));
    };
    const fds = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
    await many(300);
    const before = (await ask(at('/state'), { agent })).json();
    const ours = fds(daemon.pid);
    await many(1000);
    const after = (await ask(at('/state'), { agent })).json();
    expect(Number(after['threads'])).toBeLessThanOrEqual(Number(before['threads']) + 20);
    expect(Number(after['fds'])).toBeLessThanOrEqual(Number(before['fds']) + 20);
    expect(fds(daemon.pid)).toBeLessThanOrEqual(ours + 20);
    agent.destroy();
  });

  it('comes by more connections at once than a short queue has room for', async () => {
    const answers = Array.from({ length: 300 }, () => ask(at('/'), { agent: new Agent() }));
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('ends with the node, though it sleeps, and leaves nothing behind', async () => {
    const pid = hostPid(daemon);
    expect(await daemon.stop()).toBe(0);
    expect(isAlive(pid)).toBe(false);
    expect(socketsIn(daemon.temporary)).toEqual([]);
    const messages = daemon.logs.map(({ msg }) => msg);
    expect(messages).not.toContain('component host killed: it did not stop');
    expect(messages.at(-1)).toBe('node stopped');
    expect(daemon.output).not.toMatch(/secret|starting on '/);
  });
});

describePython('a web application that cannot start', () => {
  const app = (module: string, object = 'application') => ({ type: 'wsgi', module, object });
  const resource = (classname: string) => ({ type: 'resource', classname });
  it.each<[string, object, string, string, Files?]>([
    ['no module', app('nothing'), 'import', 'there is no module "nothing" in '],
    ['no object', app('web', 'nothing'), 'import', 'has no "nothing"'],
    [
      'nothing that can be called',
      app('web', 'NOTHING_TO_CALL'),
      'import',
      'is no WSGI application: it cannot be called',
    ],
    ['a directory only', app('empty'), 'import', 'has no "application"', { 'app/empty/x.txt': '' }],
    ['no package', app('needs'), 'import', "No module named 'numpie'", { 'app/needs.py': 'import numpie\n' }],
    [
      'an exception',
      app('bad'),
      'import',
      'ValueError: no database',
      { 'app/bad.py': 'raise ValueError("no database")' },
    ],
    ['a SyntaxError', app('odd'), 'import', 'SyntaxError: ', { 'app/odd.py': 'def it(:\n' }],
    ['sys.exit', app('leaves'), 'import', 'SystemExit: 3', { 'app/leaves.py': 'import sys\nsys.exit(3)\n' }],
    ['no class', resource('web.Nothing'), 'import', 'has no "Nothing"'],
    ['its constructor', resource('web.BadResource'), 'construct', 'ValueError: no database'],
    ['no resource', resource('web.NoResource'), 'construct', 'makes no resource of twisted.web'],
    ['its process', app('dies'), 'process', 'exit code 7', { 'app/dies.py': 'import os\nos._exit(7)\n' }],
  ])('keeps the node from starting, in one line: %s', async (_, service, stage, problem, files = {}) => {
    const daemon = await failed({ app: service }, { files });
    expect(await daemon.waitForLog('web application failed')).toMatchObject({ level: 'error', stage });
    expect(daemon.stderr.trim().split('\n')).toHaveLength(1);
    expect(daemon.stderr).toContain('transport transport001 (/workers/0/transports/0): application ');
    expect(daemon.stderr).toContain(`: ${stage}: `);
    expect(daemon.stderr).toContain(problem);
    expect(daemon.logs.map(({ msg }) => msg)).not.toContain('transport started');
  });

  it('because there is no Python at all', async () => {
    const daemon = await failed(
      { app: WSGI },
      { options: { python: undefined }, env: { PATH: '/no/such', VIRTUAL_ENV: '' } },
    );
    expect(daemon.stderr).toContain('there is no python3 in the PATH: install it with `apt install python3-autobahn`');
    expect(daemon.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('because its Python has no Twisted', async () => {
    const { options } = optionsOf({ app: WSGI }, {});
    const python = path.join(options.cbdir, 'without');
    writeFileSync(python, `#!/bin/sh\nexec ${PYTHON} -S "$@"\n`, { mode: 0o755 });
    const daemon = spawnDaemon({ ...options, config: pythonConfig([], { paths: { app: WSGI }, options: { python } }) });
    daemons.push(daemon);
    expect((await daemon.exited).code).toBe(1);
    expect(daemon.stderr).toContain('has no package "autobahn", which components and applications need: install it');
  });

  it('is left out where the config says that the node goes on: 502', async () => {
    const daemon = await started({ bad: app('nothing'), good: WSGI }, { controller: GOES_ON });
    const told = { level: 'warn', msg: 'node goes on without a web application', application: 'nothing.application' };
    expect(daemon.logs).toContainEqual(expect.objectContaining(told));
    expect((await ask(daemon.url('/bad'))).status).toBe(502);
    expect((await ask(daemon.url('/good'))).status).toBe(200);
    expect(await daemon.stop()).toBe(0);
  });

  it('is given up by a signal', async () => {
    const files = { 'app/slow.py': 'import time\nprint("imports", flush=True)\ntime.sleep(600)\n' };
    const { options, temporary } = optionsOf({ app: app('slow') }, { files });
    const daemon = spawnDaemon(options);
    daemons.push(daemon);
    await daemon.waitForLog(({ line }) => line === 'imports');
    const pid = hostPid(daemon);
    expect(await daemon.stop()).not.toBeNull();
    await untilGone([pid]);
    expect(socketsIn(temporary)).toEqual([]);
  });
});

describePython('a Python process with an application that dies', () => {
  it('ends the node, as a worker does', async () => {
    const daemon = await started({ app: WSGI });
    process.kill(hostPid(daemon), 'SIGKILL');
    expect((await daemon.exited).code).toBe(1);
    expect(daemon.logs).toContainEqual(
      expect.objectContaining({ msg: 'a worker has ended, and the node ends with it', worker: 'worker001' }),
    );
    expect(daemon.logs.map(({ msg }) => msg)).toContain('web application ended');
    expect(socketsIn(daemon.temporary)).toEqual([]);
  });

  it('ends nobody else where the config says so: requests under way and later ones get 502', async () => {
    const daemon = await started({ app: WSGI, '/': { type: 'json', value: 1 } }, { controller: GOES_ON });
    const underWay = ask(daemon.url('/app/stream')).then(
      () => 'whole',
      () => 'cut',
    );
    const waiting = ask(daemon.url('/app/sleep'));
    // Both have threads: a third one is answered.
    await ask(daemon.url('/app/env'));
    process.kill(hostPid(daemon), 'SIGKILL');
    expect(await underWay).toBe('cut');
    expect((await waiting).status).toBe(502);
    await daemon.waitForLog('web application ended');
    expect((await ask(daemon.url('/app/env'))).status).toBe(502);
    expect((await ask(daemon.url('/'))).status).toBe(200);
    expect(await daemon.stop()).toBe(0);
    expect(socketsIn(daemon.temporary)).toEqual([]);
  });

  it('ends when the node is killed, and removes its socket', async () => {
    const daemon = await started({ app: WSGI });
    const pid = hostPid(daemon);
    expect(socketsIn(daemon.temporary)).toHaveLength(1);
    await daemon.kill();
    await untilGone([pid]);
    expect(socketsIn(daemon.temporary)).toEqual([]);
  });
});

describePython('clients behind proxies and by TLS', () => {
  const trusting = (proxies: readonly string[]) => {
    const config = pythonConfig([], { paths: { app: WSGI } }) as { workers: { transports: object[] }[] };
    Object.assign(config.workers[0]?.transports[0] ?? {}, { options: { trusted_proxies: proxies } });
    return config;
  };

  it('are where a trusted proxy says that they are', async () => {
    const daemon = await startDaemon({ cbdir: pythonDirectory(), config: trusting(['loopback']) });
    daemons.push(daemon);
    const headers = { 'X-Forwarded-For': '6.6.6.6, 2001:db8::7', 'X-Forwarded-Proto': 'https', Host: 'shop.example' };
    expect((await ask(daemon.url('/app/env'), { headers })).json()).toMatchObject({
      ...{ REMOTE_ADDR: '2001:db8::7', 'wsgi.url_scheme': 'https', SERVER_NAME: 'shop.example', SERVER_PORT: '443' },
      ...{ HTTP_X_FORWARDED_FOR: '2001:db8::7', HTTP_X_FORWARDED_PROTO: 'https' },
    });
  });

  itNeeds('the openssl command', HAS_OPENSSL)('come by https where the connection is TLS', async () => {
    const certificates = new Certificates(temporaryDirectory());
    const tls = { certificate: certificates.file('server.pem'), key: certificates.file('server.key') };
    const config = pythonConfig([], { paths: { app: WSGI } }) as { workers: { transports: object[] }[] };
    Object.assign(config.workers[0]?.transports[0] ?? {}, { endpoint: { ...LOOPBACK, tls } });
    const daemon = await startDaemon({ cbdir: pythonDirectory(), config });
    daemons.push(daemon);
    const req = secureRequest(daemon.url('/app/env', 'https'), { rejectUnauthorized: false }).end();
    expect((await answerOf(req)).json()).toMatchObject({
      ...{ 'wsgi.url_scheme': 'https', SERVER_PORT: String(daemon.port), REMOTE_ADDR: '127.0.0.1' },
    });
  });

  it('come over a socket file without an address', async () => {
    const config = pythonConfig([], { paths: { app: WSGI } }) as { workers: { transports: object[] }[] };
    Object.assign(config.workers[0]?.transports[0] ?? {}, { endpoint: { type: 'unix', path: 'web.sock' } });
    const daemon = await startDaemon({ cbdir: pythonDirectory(), config });
    daemons.push(daemon);
    const req = request({ socketPath: path.join(daemon.cbdir, 'web.sock'), path: '/app/env' }).end();
    expect((await answerOf(req)).json()).toMatchObject({
      REMOTE_ADDR: '',
      SERVER_NAME: 'localhost',
      SERVER_PORT: '80',
    });
  });
});

describePython('an application on a transport of a worker in front', () => {
  it('runs beside the components of the router', async () => {
    const config = pythonConfig(['web.Adder'], { websocket: {} }) as { workers: { transports: object[] }[] };
    config.workers[0]?.transports.splice(0, 1, { type: 'rawsocket', endpoint: { type: 'unix', path: 'router.sock' } });
    const front = {
      type: 'proxy',
      connections: { here: { transport: { type: 'rawsocket', endpoint: { type: 'unix', path: 'router.sock' } } } },
      routes: { realm1: { anonymous: 'here' } },
      transports: [{ type: 'web', endpoint: LOOPBACK, paths: { app: WSGI } }],
    };
    const daemon = await startDaemon({
      cbdir: pythonDirectory(),
      config: { ...config, workers: [...config.workers, front] },
    });
    daemons.push(daemon);
    const url = String(daemon.listening().find(({ type }) => type === 'web')?.['url']);
    expect((await ask(`${url}app/add`)).body.toString()).toBe('5');
  });
});

describePython('an application on a universal transport', () => {
  it('is reached there, too', async () => {
    const config = pythonConfig([]) as { workers: { transports: object[] }[] };
    const web = { paths: { app: WSGI } };
    config.workers[0]?.transports.splice(0, 1, { type: 'universal', endpoint: LOOPBACK, web });
    const daemon = await startDaemon({ cbdir: pythonDirectory(), config });
    daemons.push(daemon);
    expect((await ask(daemon.url('/app'))).body.toString()).toBe('hello');
  });
});

describePython('the example', () => {
  it('wsgi.json signs a guestbook, which its component keeps', async () => {
    const samples = path.resolve(import.meta.dirname, '../../config');
    const config = readFileSync(path.join(samples, 'wsgi.json'), 'utf8').replace('"port": 8080', '"port": 0');
    const guestbook = readFileSync(path.join(samples, 'guestbook.py'), 'utf8');
    const daemon = await startDaemon({ cbdir: pythonDirectory({ 'guestbook.py': guestbook }), config });
    daemons.push(daemon);
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    expect((await client.ask([32, 1, {}, 'com.example.signed']))[0]).toBe(33);
    const signed = await ask(daemon.url('/'), { method: 'POST', body: 'guest=Ann+%3C3' });
    expect([signed.status, signed.headers.location]).toEqual([303, '/']);
    expect((await client.next()).slice(4)).toEqual([['Ann <3']]);
    expect((await ask(daemon.url('/'))).body.toString()).toContain('<li>Ann &lt;3</li>');
    expect((await ask(daemon.url('/status'))).body.toString()).toBe('Guests: 1\n');
  });
});

describe('with Flask', () => {
  itNeeds('python3-flask', hasFlask && hasAutobahn)('an application knows its URLs, forms and cookies', async () => {
    const files = {
      'app/shop.py': [
        'from flask import Flask, redirect, request, session, url_for',
        'app = Flask(__name__)',
        'app.secret_key = "a secret, long enough"',
        '@app.post("/sign")',
        'def sign():',
        '    session["guest"] = request.form["guest"]',
        '    return redirect(url_for("show", _external=True))',
        '@app.get("/show")',
        'def show():',
        '    return "%s from %s" % (session.get("guest"), request.remote_addr)',
      ].join('\n'),
    };
    const daemon = await started({ shop: { type: 'wsgi', module: 'shop', object: 'app' } }, { files });
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const signed = await ask(daemon.url('/shop/sign'), { method: 'POST', headers, body: 'guest=Ann' });
    expect([signed.status, signed.headers.location]).toEqual([302, daemon.url('/shop/show')]);
    const [cookie = ''] = signed.headers['set-cookie'] ?? [];
    const shown = await ask(daemon.url('/shop/show'), { headers: { cookie: cookie.split(';')[0] ?? '' } });
    expect(shown.body.toString()).toBe('Ann from 127.0.0.1');
    expect((await ask(daemon.url('/shop/none'))).status).toBe(404);
  });
});
