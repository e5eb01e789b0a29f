/** docs/operations.md: its nginx block in front of a node, the commands of its unit and its image, the backup, the table of files. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleCertificates, exampleDirectory } from '../support/examples.js';
import type { Certificates } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { nodeDirectory, runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { freePorts } from '../support/ports.js';
import { HandshakeRefused, WampClient } from '../support/wamp-client.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');
const block = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(page)?.[1] ?? '';
const NGINX = ['/usr/sbin/nginx', 'nginx'].find((file) => spawnSync(file, ['-v']).status === 0);
const HOST = 'chat.example.com';
const STORED = nodeConfig({ websocket: { cookie: { store: { type: 'file', filename: 'cookies.dat' } } } });

describeNeeds('nginx', NGINX !== undefined)('the block for nginx', () => {
  let certificates: Certificates;
  let node: Daemon;
  const proxies: ChildProcess[] = [];
  let port = 0;
  beforeAll(async () => {
    certificates = exampleCertificates();
    const config = JSON.parse(readFileSync(path.join(ROOT, 'config/behind-proxy.json'), 'utf8')) as {
      workers: [{ transports: [{ paths: Record<string, object> }] }];
    };
    // Beside what the page names, a WebSocket for pages of the same host.
    config.workers[0].transports[0].paths['own'] = { type: 'websocket', options: { allowed_origins: ['self'] } };
    node = await startDaemon({ cbdir: exampleDirectory(config, certificates) });
    port = await startNginx(block('nginx'));
  });
  afterAll(async () => {
    const ended = proxies.map((proxy) => once(proxy, 'exit'));
    for (const proxy of proxies) proxy.kill('SIGTERM');
    await Promise.all(ended);
    await node.dispose();
  });

  /** @returns where it listens. Only places are changed: those of certificates, ports and interface. */
  async function startNginx(text: string): Promise<number> {
    const directory = temporaryDirectory();
    const [ownPort = 0] = await freePorts(1);
    const server = text
      .replace('listen 443 ssl', `listen 127.0.0.1:${ownPort} ssl`)
      .replace('/etc/ssl/chat.pem', certificates.file('server.pem'))
      .replace('/etc/ssl/chat.key', certificates.file('server.key'))
      .replace('http://127.0.0.1:8080', `http://127.0.0.1:${node.port}`);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path t;`);
    const http = `http {\n access_log off;\n ${temporary.join(' ')}\n${server}}`;
    const global = 'daemon off; error_log stderr; pid nginx.pid;';
    writeFileSync(path.join(directory, 'nginx.conf'), `${global}\nevents {}\n${http}\n`);
    const proxy = spawn(NGINX ?? '', ['-p', directory, '-c', 'nginx.conf'], { stdio: ['ignore', 'ignore', 'inherit'] });
    proxies.push(proxy);
    // It says nowhere that it listens.
    while ((await get(ownPort, '/').catch(() => undefined)) === undefined && proxy.exitCode === null) await delay(20);
    return ownPort;
  }

  const tls = () => ({
    ca: ['root.pem', 'intermediate.pem'].map((name) => certificates.text(name)),
    servername: 'localhost',
  });

  function get(to: number, target: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: to, path: target, headers: { host: HOST }, ...tls() };
      request(options, (response) => resolve(response.resume()))
        .on('error', reject)
        .end();
    });
  }
  const connect = (to: number, target: string, headers = {}): Promise<WampClient> =>
    WampClient.connect(`wss://127.0.0.1:${to}${target}`, {
      headers: { host: HOST, origin: `https://${HOST}`, ...headers },
      tls: tls(),
    });

  it('lets pages through', async () => {
    const { statusCode, headers } = await get(port, '/');
    expect(statusCode).toBe(200);
    expect(headers['strict-transport-security']).toBeDefined();
  });

  it('lets a browser in, which is recognised when it comes back by a cookie that is Secure', async () => {
    const first = await connect(port, '/ws');
    const [setCookie = ''] = first.handshake.setCookie;
    expect(setCookie).toMatch(/^cbtid=.*; Secure/);
    const { authid } = (await first.hello()).welcome;
    first.socket.terminate();
    const second = await connect(port, '/ws', { cookie: setCookie.split(';', 1).join('') });
    expect((await second.hello()).welcome.authid).toBe(authid);
    second.socket.terminate();
    // As the page says: the address is that of nginx.
    expect(await node.waitForLog('session joined')).toMatchObject({ peer: expect.stringMatching(/^127\./) as unknown });
  });

  it('lets pages of the same host in', async () => (await connect(port, '/own')).socket.terminate());

  it('without its lines about the upgrade the log says what is missing', async () => {
    const wrong = await startNginx(block('nginx').replace(/^ +proxy_set_header (Upgrade|Connection) .*\n/gm, ''));
    await expect(connect(wrong, '/ws')).rejects.toMatchObject({ status: 426 });
    const line = await node.waitForLog(({ msg, status }) => msg === 'WebSocket refused' && status === 426);
    expect(line).toMatchObject({ level: 'warn', remedy: expect.stringContaining('proxy') as unknown });
  });

  it('without its line about the host the log says whose page it is', async () => {
    const wrong = await startNginx(block('nginx').replace(/^ +proxy_set_header Host .*\n/m, ''));
    await expect(connect(wrong, '/own')).rejects.toBeInstanceOf(HandshakeRefused);
    const line = await node.waitForLog(({ msg, status }) => msg === 'WebSocket refused' && status === 403);
    expect(line).toMatchObject({ reason: expect.stringContaining('pages of the origin') as unknown, path: '/own' });
  });
});

describe('the commands of the page', () => {
  const execStart = /^ExecStart=(.*)$/m.exec(block('ini'))?.[1]?.split(' ') ?? [];
  const [, cmd = '[]'] = /^CMD (.*)$/m.exec(block('dockerfile')) ?? [];
  const BIN = path.join(ROOT, 'bin/crossbar-ts.js');

  it.each([
    ['unit', [BIN, ...execStart.slice(1)]],
    ['image', (JSON.parse(cmd) as string[]).slice(1)],
  ])('of the %s start a node, which SIGTERM ends with 0', async (_what, words) => {
    const cwd = temporaryDirectory();
    mkdirSync(path.join(cwd, 'node_modules'));
    symlinkSync(ROOT, path.join(cwd, 'node_modules/crossbar-ts'));
    mkdirSync(path.join(cwd, '.crossbar'));
    writeFileSync(path.join(cwd, '.crossbar/config.json'), JSON.stringify(STORED));
    // The places of the machine are places of the test.
    const place = (word: string): string => (/^\/(run|tmp|var\/lib)\//.test(word) ? path.join(cwd, word) : word);
    const [program = '', ...options] = words.map((word) => (word === '/etc/crossbar-ts' ? '.crossbar' : word));
    const args = [program, ...options.map(place)];
    expect(args).toContain('--rundir');
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    let log = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      log += String(chunk);
      if (log.includes('"node started"')) break;
    }
    const ended = once(child, 'exit');
    if (args.includes('--statedir')) expect(readdirSync(path.join(cwd, '.crossbar'))).toEqual(['config.json']);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('the unit is that of contrib/', () => {
    expect(block('ini')).toBe(readFileSync(path.join(ROOT, 'contrib/crossbar-ts.service'), 'utf8'));
  });

  it('of which a mistake ends with 1', async () => {
    expect((await runCli(['check', '--cbdir', nodeDirectory({ version: 2, workers: 3 })])).code).toBe(1);
    expect((await runCli(['start', '--no-such-option'])).code).toBe(1);
  });
});

it('every file that a running node has is in the table, and a copy of the cookies is a backup', async () => {
  const node = await startDaemon({ config: STORED });
  const client = await WampClient.connect(node.url('/ws', 'ws'));
  const cookie = client.handshake.setCookie[0]?.split(';', 1).join('') ?? '';
  const { authid } = (await client.hello()).welcome;
  const files = readdirSync(node.cbdir).map((name) => name.replace(/^\.alive\..*/, '.alive.*'));
  for (const file of files) expect(page).toContain(`\`${file}\``);
  expect(files).toEqual(expect.arrayContaining(['cookies.dat', 'node.pid', 'node.sock']));

  const copy = nodeDirectory(STORED);
  cpSync(path.join(node.cbdir, 'cookies.dat'), path.join(copy, 'cookies.dat'));
  client.socket.terminate();
  expect((await runCli(['cookies', 'verify', '--cbdir', copy])).code).toBe(0);
  const restored = await startDaemon({ cbdir: copy });
  const again = await WampClient.connect(restored.url('/ws', 'ws'), { headers: { cookie } });
  expect((await again.hello()).welcome.authid).toBe(authid);
  again.socket.terminate();
  await Promise.all([node.dispose(), restored.dispose()]);
});
