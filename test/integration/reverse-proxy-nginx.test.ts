/** A node in front of nginx, which is what most backends of `reverseproxy` look like: its answers come through as they are. */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { HAS_NGINX, startNginx } from '../support/front-proxies.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import type { Program } from '../support/program.js';

const TEXT = 'a line that repeats\n'.repeat(5000);
const BYTES = randomBytes(3_000_000);

/** `/files` has the connection that was used, `/chunked` an answer without a length, `/moved/` leads elsewhere. */
const SERVER = `
  keepalive_requests 100000;
  root files;
  gzip on; gzip_types text/plain; gzip_proxied any; gzip_min_length 1; gzip_vary on;
  add_header X-Connection $connection always;
  location /moved/ { return 302 /base/text.txt; }
  location /absolute/ { return 302 http://$http_host/base/text.txt; }
  location /one-each { keepalive_timeout 0; return 200 once; }
  location /two { add_header Set-Cookie a=1; add_header Set-Cookie "b=2; Path=/base/x"; add_header Via "1.1 x"; add_header Via "1.1 y"; return 200 two; }
`;

interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describeNeeds('nginx', HAS_NGINX)('a node in front of nginx', () => {
  let node: Daemon;
  let nginx: Program;
  let direct = 0;
  const agent = new Agent({ keepAlive: true });

  beforeAll(async () => {
    const directory = temporaryDirectory();
    mkdirSync(path.join(directory, 'files/base'), { recursive: true });
    writeFileSync(path.join(directory, 'files/base/text.txt'), TEXT);
    writeFileSync(path.join(directory, 'files/base/bytes'), BYTES);
    // Its workers are of another user, where root starts it.
    for (const place of [directory, path.join(directory, 'files'), path.join(directory, 'files/base')])
      chmodSync(place, 0o755);
    ({ port: direct, program: nginx } = await startNginx(SERVER, directory));
    const app = { type: 'reverseproxy', host: '127.0.0.1', port: direct, path: '/base' };
    const root = { ...app, path: '/' };
    node = await startDaemon({ config: nodeConfig({ paths: { app, root } }) });
  });
  afterAll(async () => {
    agent.destroy();
    await node.dispose();
    await nginx.stop();
  });

  function get(target: string, headers: OutgoingHttpHeaders = {}, method = 'GET', port = node.port): Promise<Got> {
    return new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: target, method, headers, agent }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece)).once('error', reject);
        response.once('end', () => {
          const { statusCode: status, headers: got, rawHeaders } = response;
          resolve({ status, headers: got, rawHeaders, body: Buffer.concat(pieces) });
        });
      })
        .once('error', reject)
        .end();
    });
  }

  it('asks again and again over one connection', async () => {
    const first = await get('/app/text.txt');
    for (let round = 0; round < 5; round++) {
      const again = await get('/app/text.txt');
      expect(again.headers['x-connection']).toBe(first.headers['x-connection']);
    }
  });

  it('opens another one where nginx closes each', async () => {
    const answers = [await get('/root/one-each'), await get('/root/one-each'), await get('/root/one-each')];
    expect(answers.map(({ body }) => body.toString())).toEqual(['once', 'once', 'once']);
    expect(new Set(answers.map(({ headers }) => headers['x-connection'])).size).toBe(3);
    expect(answers.map(({ headers }) => headers.connection)).toEqual(['keep-alive', 'keep-alive', 'keep-alive']);
  });

  it('passes compressed answers on as they are, in chunks', async () => {
    const got = await get('/app/text.txt', { 'Accept-Encoding': 'gzip' });
    expect(got.headers).toMatchObject({ 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' });
    expect(got.headers.vary).toMatch(/Accept-Encoding/);
    expect(got.body.length).toBeLessThan(TEXT.length / 10);
    expect(gunzipSync(got.body).toString()).toBe(TEXT);
    expect((await get('/app/text.txt')).body.toString()).toBe(TEXT);
  });

  it('lets clients ask whether they have it already', async () => {
    const { headers } = await get('/app/bytes');
    const known = { 'If-None-Match': headers.etag ?? '' };
    const got = await get('/app/bytes', known);
    expect([got.status, got.body.length, got.headers.etag]).toEqual([304, 0, headers.etag]);
    expect((await get('/app/bytes', { 'If-Modified-Since': headers['last-modified'] ?? '' })).status).toBe(304);
    expect((await get('/app/bytes', { 'If-Match': '"another"' })).status).toBe(412);
  });

  it.each([
    ['bytes=0-99', 206, 'bytes 0-99/3000000', BYTES.subarray(0, 100)],
    ['bytes=-100', 206, 'bytes 2999900-2999999/3000000', BYTES.subarray(-100)],
    ['bytes=1000000-', 206, 'bytes 1000000-2999999/3000000', BYTES.subarray(1_000_000)],
    ['bytes=3000000-', 416, 'bytes */3000000', undefined],
  ])('gives the part that is asked for: %s', async (Range, status, contentRange, part) => {
    const got = await get('/app/bytes', { Range });
    expect([got.status, got.headers['content-range']]).toEqual([status, contentRange]);
    if (part !== undefined) expect(digest(got.body)).toBe(digest(part));
  });

  it('gives two parts in one answer', async () => {
    const got = await get('/app/bytes', { Range: 'bytes=0-9,20-29' });
    expect(got.headers['content-type']).toMatch(/^multipart\/byteranges; boundary=/);
    expect(got.body.includes(BYTES.subarray(20, 30))).toBe(true);
  });

  it('answers HEAD as nginx does, and the connection goes on', async () => {
    const [through, by] = [await get('/app/bytes', {}, 'HEAD'), await get('/base/bytes', {}, 'HEAD', direct)];
    expect([through.status, through.headers['content-length'], through.body.length]).toEqual([200, '3000000', 0]);
    expect(through.headers.etag).toBe(by.headers.etag);
    expect(digest((await get('/app/bytes')).body)).toBe(digest(BYTES));
  });

  it('passes on what nginx says more than once', async () => {
    const { rawHeaders } = await get('/root/two');
    const said = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1] ?? ''}`] : []));
    expect(said.filter((line) => /^(?:Set-Cookie|Via)/.test(line))).toEqual([
      ...['Set-Cookie: a=1', 'Set-Cookie: b=2; Path=/root/base/x', 'Via: 1.1 x', 'Via: 1.1 y'],
    ]);
  });

  it('leads to where the client may go', async () => {
    expect((await get('/root/moved/')).headers.location).toBe('/root/base/text.txt');
    expect((await get('/root/absolute/')).headers.location).toBe('/root/base/text.txt');
  });

  it('passes on what nginx refuses', async () => {
    const got = await get('/app/nothing');
    expect([got.status, String(got.headers.server)]).toEqual([404, expect.stringMatching(/^nginx/)]);
    expect(got.body.toString()).toContain('404 Not Found');
  });
});
