/** Scripts behind the real daemon: what they learn, how many run, and that none of them is left. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';

import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { directoryWith } from '../support/node-directory.js';
import { descendantsOf, untilGone } from '../support/processes.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

const daemons: Daemon[] = [];
afterAll(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

/** The default of `max_processes`. */
const MAX_PROCESSES = 16;

const HEADER = "printf 'Content-Type: text/plain\\n\\n'";
const SCRIPTS = {
  'cgi/env': `${HEADER}; env`,
  'cgi/echo': `${HEADER}; cat`,
  // As much as no buffer holds.
  'cgi/much': `${HEADER}; exec head -c 400000000 /dev/zero`,
  'cgi/sleep': `${HEADER}; echo started; sleep 1000`,
  // Answers, and ends when it may.
  'cgi/wait': `${HEADER}; echo running; until [ -e "$SCRIPT_FILENAME.end" ]; do sleep 0.05; done`,
};

async function started(): Promise<Daemon> {
  const cgi = { type: 'cgi', directory: 'cgi', processor: 'sh' };
  const config = nodeConfig({ paths: { cgi }, websocket: { cookie: { name: 'visitor', store: { type: 'memory' } } } });
  const daemon = await startDaemon({ cbdir: directoryWith(SCRIPTS), config, env: { NODE_SECRET: 'hunter2' } });
  daemons.push(daemon);
  return daemon;
}

/** The shells of scripts, and what they have started; not the one that watches. */
function scriptsOf(daemon: Daemon): number[] {
  return descendantsOf(daemon.pid).filter(
    (pid) => commandOf(pid).includes('cgi/sleep') || commandOf(pid).startsWith('sleep'),
  );
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // gone
  }
}

/** @returns the beginning of an answer, which does not end. A place is free a moment after the answer of the script that had it. */
async function opened(daemon: Daemon, signal?: AbortSignal): Promise<Response> {
  for (;;) {
    const answer = await fetch(daemon.url('/cgi/sleep'), signal === undefined ? {} : { signal });
    if (answer.status === 200) return answer;
    expect(answer.status).toBe(503);
    await answer.text();
  }
}

it('scripts learn what they may, and no secret', async () => {
  const daemon = await started();
  const headers = {
    cookie: 'visitor=secretid; cbtid=secretid; theme=dark',
    authorization: 'Bearer secretid',
    proxy: 'http://x',
  };
  const text = await (await fetch(daemon.url('/cgi/env/a/b?q=1'), { headers })).text();
  const lines = text.split('\n');
  for (const line of [
    ...['REQUEST_METHOD=GET', 'PATH_INFO=/a/b', 'SCRIPT_NAME=/cgi/env', 'QUERY_STRING=q=1', 'HTTP_COOKIE=theme=dark'],
    ...['REMOTE_ADDR=127.0.0.1', `SERVER_PORT=${daemon.port}`, `SCRIPT_FILENAME=${daemon.cbdir}/cgi/env`],
  ]) {
    expect(lines).toContain(line);
  }
  expect(text).not.toMatch(/hunter2|NODE_SECRET|secretid|HTTP_PROXY/);
  const body = 'x'.repeat(2_000_000);
  expect(await (await fetch(daemon.url('/cgi/echo'), { method: 'POST', body })).text()).toBe(body);
});

it('200 requests at once: as many run as may, the others are told, and nothing is left', async () => {
  const daemon = await started();
  const answers = await Promise.all(Array.from({ length: 200 }, () => fetch(daemon.url('/cgi/wait'))));
  const ran = answers.filter(({ status }) => status === 200);
  expect(ran).toHaveLength(MAX_PROCESSES);
  expect(answers.filter(({ status }) => status === 503)).toHaveLength(200 - MAX_PROCESSES);
  writeFileSync(path.join(daemon.cbdir, 'cgi/wait.end'), '');
  await Promise.all(answers.map((answer) => answer.text()));
  // One after the other they all find a place.
  let served = 0;
  while (served < 5) served += Number((await fetch(daemon.url('/cgi/env'))).status === 200);
});

it('a client that asks whether its body is wanted is told so when there is a script for it', async () => {
  const daemon = await started();
  const ask = (target: string): Promise<{ events: string[]; body: string }> =>
    new Promise((resolve, reject) => {
      const events: string[] = [];
      const headers = { Expect: '100-continue', 'Content-Length': '5' };
      const asking = request(daemon.url(target), { method: 'POST', headers, agent: false });
      asking.once('continue', () => {
        events.push('continue');
        asking.end('hello');
      });
      asking.once('response', (response) => {
        events.push(String(response.statusCode));
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.once('end', () => {
          asking.destroy();
          resolve({ events, body });
        });
      });
      asking.once('error', reject).flushHeaders();
    });
  expect(await ask('/cgi/echo')).toEqual({ events: ['continue', '200'], body: 'hello' });
  expect((await ask('/cgi/nothing')).events).toEqual(['404']);
});

it('scripts learn that their client came by https, to the node or to a proxy that is trusted', async () => {
  const cgi = { type: 'cgi', directory: 'cgi', processor: 'sh' };
  const options = { trusted_proxies: ['loopback'] };
  const config = nodeConfig({ paths: { cgi }, transport: { options } });
  const daemon = await startDaemon({ cbdir: directoryWith(SCRIPTS), config });
  daemons.push(daemon);
  const linesBy = async (headers: Record<string, string>): Promise<string[]> =>
    (await (await fetch(daemon.url('/cgi/env'), { headers })).text()).split('\n');
  expect((await linesBy({})).some((line) => line.startsWith('HTTPS='))).toBe(false);
  expect(await linesBy({ 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https' })).toContain('HTTPS=on');
  if (!HAS_OPENSSL) return;
  const certificates = new Certificates(temporaryDirectory());
  const tls = { key: certificates.file('server.key'), certificate: certificates.file('server.pem') };
  const endpoint = { ...LOOPBACK, tls };
  const secure = await startDaemon({
    cbdir: directoryWith(SCRIPTS),
    config: nodeConfig({ paths: { cgi }, transport: { endpoint } }),
  });
  daemons.push(secure);
  const text = await new Promise<string>((resolve, reject) => {
    const url = secure.url('/cgi/env', 'https');
    requestTls(url, { ca: certificates.text('intermediate.pem') + certificates.text('root.pem') }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      response.once('end', () => resolve(body));
    })
      .once('error', reject)
      .end();
  });
  expect(text.split('\n')).toContain('HTTPS=on');
});

it('a client that reads nothing makes its script wait, and nothing is kept', async () => {
  const daemon = await started();
  const socket = connect(daemon.port, '127.0.0.1');
  socket.write('GET /cgi/much HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await once(socket, 'readable');
  const scripts = descendantsOf(daemon.pid).filter((pid) => commandOf(pid).startsWith('head'));
  const written = (): number => Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${scripts[0] ?? 0}/io`, 'utf8'))?.[1]);
  // Until it writes no more.
  for (let before = -1; written() !== before; await delay(100)) before = written();
  expect(written()).toBeLessThan(100_000_000);
  const peakKb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]);
  expect(peakKb).toBeLessThan(220 * 1024);
  socket.destroy();
  await untilGone(scripts);
});

it('clients that leave take their scripts with them, and make room for others', async () => {
  const daemon = await started();
  for (let round = 0; round < 2; round++) {
    const ending = new AbortController();
    await Promise.all(Array.from({ length: 16 }, () => opened(daemon, ending.signal)));
    const scripts = scriptsOf(daemon);
    expect(scripts.length).toBeGreaterThanOrEqual(16);
    expect((await fetch(daemon.url('/cgi/env'))).status).toBe(503);
    ending.abort();
    await untilGone(scripts);
    let status = 503;
    while (status === 503) ({ status } = await fetch(daemon.url('/cgi/env')));
    expect(status).toBe(200);
  }
  expect(scriptsOf(daemon)).toEqual([]);
});

it('scripts end with the node, also after kill -9', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const daemon = await started();
    const answer = await opened(daemon);
    const scripts = scriptsOf(daemon);
    expect(scripts.length).toBeGreaterThanOrEqual(1);
    const cut = answer.text().catch(() => undefined);
    await daemon.stop(signal);
    await untilGone(scripts);
    await cut;
  }
});

it('the sample runs scripts of Python', async () => {
  const text = readFileSync(path.join(ROOT, 'config/cgi.json'), 'utf8').replace(
    '"port": 8080',
    '"port": 0, "interface": "127.0.0.1"',
  );
  const cbdir = directoryWith({ 'config.json': text });
  const scripts = path.join(path.dirname(cbdir), 'cgi');
  mkdirSync(scripts);
  const script = `
import os, sys
body = sys.stdin.buffer.read(int(os.environ.get('CONTENT_LENGTH', 0)))
print('Status: 201 Created\\nContent-Type: text/plain; charset=utf-8\\n')
print(os.environ['DATABASE'], body.decode())
`;
  writeFileSync(path.join(scripts, 'hello.py'), script);
  const daemon = await startDaemon({ cbdir });
  daemons.push(daemon);
  const answer = await fetch(daemon.url('/cgi/hello.py'), { method: 'POST', body: 'grüße' });
  expect([answer.status, await answer.text()]).toEqual([201, 'shop.db grüße\n']);
});
