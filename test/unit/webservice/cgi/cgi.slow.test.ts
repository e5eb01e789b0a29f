/** Scripts behind HTTP: real ones, run by `sh`, on real connections. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { createLogger } from '../../../../src/log/logger.js';
import { Warden } from '../../../../src/system/process/warden.js';
import { createCgi } from '../../../../src/webservice/cgi/cgi.js';
import type { CgiConfig } from '../../../../src/webservice/cgi/schema.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { exchange } from '../../../support/exchange.js';
import { HttpWire, startHttp } from '../../../support/http-server.js';
import { untilGone } from '../../../support/processes.js';
import { serviceDeps } from '../../../support/web.js';

const base = mkdtempSync(path.join(tmpdir(), 'cgi-'));
const directory = path.join(base, 'cgi');

const HEADER = "printf 'Content-Type: text/plain\\r\\n\\r\\n'";
const SCRIPTS: Readonly<Record<string, string>> = {
  hello: `[ "$REQUEST_METHOD" = OPTIONS ] && echo 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'; ${HEADER}; echo hello`,
  env: `${HEADER}; env`,
  echo: `${HEADER}; echo "$CONTENT_LENGTH"; cat`,
  where: `${HEADER}; pwd; echo "$0"; echo "$PATH_INFO"`,
  status: "printf 'Status: 418 Teapot\\nX-A: 1\\nX-A: 2\\n\\nshort'",
  location: "printf 'Location: https://example.com/\\n\\n'",
  exact: "printf 'Content-Length: 4\\n\\nlonger'",
  short: "printf 'Content-Length: 40\\n\\nshort'",
  silent: 'echo complaint >&2; exit 3',
  loud: `${HEADER}; echo "a warning" > /dev/stderr; head -c 100000 /dev/zero | tr '\\0' x >&2; echo fine`,
  nonsense: 'echo this is no header; echo',
  'http-itself': "printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'",
  large: 'head -c 40000 /dev/zero | tr "\\0" x',
  'nph-x': HEADER,
  much: `${HEADER}; head -c 3000000 /dev/zero`,
  // Two processes that say who they are, and do not go by themselves.
  wait: `trap '' TERM; sleep 1000 & echo "$$ $!" > "$PIDS.part"; mv "$PIDS.part" "$PIDS"; ${HEADER}; echo here; wait; wait`,
  before: 'sleep 1000 & echo "$$ $!" > "$PIDS.part"; mv "$PIDS.part" "$PIDS"; wait',
  ignores: `${HEADER}; echo ignored`,
};

beforeAll(() => {
  mkdirSync(path.join(directory, 'deep/er'), { recursive: true });
  for (const [name, text] of Object.entries(SCRIPTS)) writeFileSync(path.join(directory, name), text);
  writeFileSync(path.join(directory, 'deep/er/where'), SCRIPTS['where'] ?? '');
  writeFileSync(path.join(directory, '.hidden'), SCRIPTS['hello'] ?? '');
  writeFileSync(path.join(base, 'outside'), SCRIPTS['hello'] ?? '');
  symlinkSync('../outside', path.join(directory, 'link-out'));
  symlinkSync('deep/er/where', path.join(directory, 'link-in'));
});
afterAll(() => rmSync(base, { recursive: true }));

const OPTIONS: CgiConfig['options'] = { env: {}, timeout: 30, max_processes: 16 };
const warden = new Warden(() => undefined);
afterAll(() => warden.close());

type Line = Readonly<Record<string, unknown>>;

function create(options: Partial<CgiConfig['options']> = {}, lines: Line[] = [], processor = 'sh') {
  const log = createLogger({
    level: 'warn',
    destination: { write: (line) => void lines.push(JSON.parse(line) as Line) },
  });
  const programs = { env: { PATH: process.env['PATH'], SECRET: 'hunter2' }, warden };
  const config: CgiConfig = { type: 'cgi', directory, processor, options: { ...OPTIONS, ...options } };
  return createCgi(config, serviceDeps({ log, programs }));
}

webServiceContract('cgi', {
  create: () => create(),
  path: '/hello',
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  validators: false,
  upgrades: false,
});

const asked = (rest: string, lines: Line[] = []) => exchange(create({}, lines), { rest, mount: '/cgi' });

describe('a path', () => {
  it('names a script, also in a directory, which runs where it lies', async () => {
    expect((await asked('/deep/er/where/more%20path')).body).toMatch(/^[0-9a-f]+\r\n/);
    const { body } = await asked('/deep/er/where/more%20path');
    expect(body).toContain(`${directory}/deep/er\n`);
    expect(body).toContain('/more path\n');
    expect((await asked('/link-in')).body).toContain(`${directory}/deep/er/where\n`);
  });

  it.each([
    ...['', '/', '/deep', '/deep/', '/nothing', '/.hidden', '/link-out', '/deep%2fer/where', '/%2e%2e%2foutside'],
    ...['/hello%2f..%2f..', '//hello', '/hello/a%2fb'],
  ])('names nothing: %s', async (rest) => expect((await asked(rest)).status).toBe(404));

  it('does not name a script that speaks HTTP itself', async () => {
    expect((await asked('/nph-x')).status).toBe(403);
  });
});

describe('a response', () => {
  it('has the status and the headers of the script', async () => {
    const { status, headers, body } = await asked('/status');
    expect([status, headers['x-a'], body.includes('short')]).toEqual([418, '1, 2', true]);
    expect(await asked('/location')).toMatchObject({ status: 302, headers: { location: 'https://example.com/' } });
  });

  it('has no more than its Content-Length', async () => {
    expect(await asked('/exact')).toMatchObject({ headers: { 'content-length': '4' }, body: 'long' });
  });

  it.each([
    ['silent', 'it ended without a header (exit code 3)'],
    ['nonsense', 'a line of its header is none'],
    ['http-itself', 'it speaks HTTP itself'],
    ['large', 'its header has more than 16384 bytes'],
  ])('is 500 where the script is to blame: %s', async (name, problem) => {
    const lines: Line[] = [];
    const service = create({}, lines);
    const answer = await exchange(service, { rest: `/${name}` });
    expect([answer.status, answer.body]).toEqual([500, '500 Internal Server Error\nThe script failed.\n']);
    await service.stop?.();
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'CGI script failed', problem, script: `/${name}` }));
    if (name === 'silent') expect(lines[0]).toMatchObject({ stderr: 'complaint\n' });
  });

  it('is 500 where there is no processor', async () => {
    const lines: Line[] = [];
    const service = create({}, lines, '/nowhere/sh');
    expect((await exchange(service, { rest: '/hello' })).status).toBe(500);
    expect(lines[0]).toMatchObject({ msg: 'CGI processor cannot be started' });
  });

  it('leaves what goes to the standard error to the log, 4 KiB of it', async () => {
    const lines: Line[] = [];
    const service = create({}, lines);
    expect((await exchange(service, { rest: '/loud' })).body).toContain('fine');
    await service.stop?.();
    expect(lines[0]).toMatchObject({ msg: 'CGI script wrote to its standard error' });
    expect(String(lines[0]?.['stderr'])).toMatch(/^a warning\nx+$/);
    expect(String(lines[0]?.['stderr'])).toHaveLength(4096);
  });

  it('has nothing of the node in it', async () => {
    const service = create({ env: { DB: 'shop' } });
    const { body } = await exchange(service, {
      rest: '/env',
      headers: { cookie: 'cbtid=abc; a=b', authorization: 'x' },
    });
    expect(body).toContain('DB=shop');
    expect(body).toContain('HTTP_COOKIE=a=b');
    expect(body).not.toMatch(/hunter2|abc|AUTHORIZATION/);
  });
});

describe('on a connection', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function served(options: Partial<CgiConfig['options']> = {}, lines: Line[] = []) {
    const pids = path.join(mkdtempSync(path.join(base, 'run-')), 'pids');
    const service = create({ ...options, env: { PIDS: pids } }, lines);
    await service.start?.();
    const { port, server } = await startHttp(service);
    let isStopped = false;
    const stop = async (): Promise<void> => {
      if (isStopped) return;
      isStopped = true;
      await Promise.all([server.stop(), service.stop?.()]);
    };
    stops.push(stop);
    return { port, url: (name: string) => `http://127.0.0.1:${port}/${name}`, pids, service, stop };
  }

  /** @returns the processes of a script, when it has written them down */
  async function pidsIn(file: string): Promise<number[]> {
    const ending = new AbortController();
    const read = (): number[] => {
      try {
        return readFileSync(file, 'utf8').trim().split(' ').map(Number);
      } catch {
        return []; // not yet
      }
    };
    const changes = watch(path.dirname(file), { signal: ending.signal });
    const next = changes[Symbol.asyncIterator]();
    let found = next.next();
    try {
      for (let pids = read(); ; pids = read()) {
        if (pids.length === 2) return pids;
        await found;
        found = next.next();
      }
    } finally {
      found.catch(() => undefined);
      ending.abort();
    }
  }

  it('a body goes to the script as it comes, with its length', async () => {
    const { url } = await served();
    const body = 'x'.repeat(3_000_000);
    const answer = await (await fetch(url('echo'), { method: 'POST', body })).text();
    expect(answer).toBe(`3000000\n${body}`);
  });

  it('a chunked body gets a length, up to 1 MiB', async () => {
    const { port } = await served();
    const chunked = ['POST /echo HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', 'Connection: close'];
    const wire = (await HttpWire.open(port)).send(chunked, '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
    expect((await wire.closed()).replaceAll(/\r\n[0-9a-f]+\r\n/g, '')).toContain('5\nabcde');
    const large = (await HttpWire.open(port)).send(chunked, `200000\r\n${'x'.repeat(0x20_0000)}\r\n0\r\n\r\n`);
    expect((await large.closed()).startsWith('HTTP/1.1 413')).toBe(true);
  });

  it('a script that does not read its body is no problem', async () => {
    const { url } = await served();
    for (let n = 0; n < 3; n++) {
      const answer = await fetch(url('ignores'), { method: 'POST', body: 'x'.repeat(500_000) });
      expect(await answer.text()).toBe('ignored\n');
    }
  });

  it('much output arrives whole, also where the script has ended before it is read', async () => {
    const { url } = await served();
    const answer = await fetch(url('much'));
    expect((await answer.arrayBuffer()).byteLength).toBe(3_000_000);
  });

  it('half a response ends with its connection', async () => {
    const lines: Line[] = [];
    const { url, stop } = await served({}, lines);
    await expect(fetch(url('short')).then((answer) => answer.text())).rejects.toThrow();
    await stop();
    expect(lines[0]).toMatchObject({ problem: 'its body is shorter than its Content-Length' });
  });

  it('a script that is too slow is ended, with what it has started', async () => {
    const lines: Line[] = [];
    const { url, pids } = await served({ timeout: 1 }, lines);
    const answer = await fetch(url('before'));
    expect([answer.status, await answer.text()]).toEqual([504, '504 Gateway Timeout\nThe script took too long.\n']);
    await untilGone(await pidsIn(pids));
  });

  it('a script ends when its client leaves, also one that does not want to', async () => {
    const { url, pids } = await served();
    const ending = new AbortController();
    const answer = await fetch(url('wait'), { signal: ending.signal });
    expect(answer.status).toBe(200);
    const processes = await pidsIn(pids);
    ending.abort();
    await untilGone(processes);
  });

  it('a script ends with the service', async () => {
    const { url, pids, service } = await served();
    const answer = await fetch(url('wait'));
    const processes = await pidsIn(pids);
    await Promise.all([service.stop?.(), answer.text().catch(() => undefined)]);
    await untilGone(processes);
  });

  it('only so many run at a time', async () => {
    const { url, pids, stop } = await served({ max_processes: 1 });
    const first = await fetch(url('wait'));
    await pidsIn(pids);
    const second = await fetch(url('hello'));
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '5']);
    await Promise.all([stop(), first.text().catch(() => undefined)]);
  });
});
