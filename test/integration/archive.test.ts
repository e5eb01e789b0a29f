/**
 * The web service `archive` in the daemon, with an origin behind TLS: what is downloaded at the start, what is not, and what is left
 * behind when the origin is slow, away, or has something else.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { nodeDirectory, spawnDaemon, startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { zipOf } from '../support/zips.js';

const ZIP = zipOf([{ name: 'index.html', content: '<h1>from the origin</h1>' }]);
const OTHER = zipOf([{ name: 'index.html', content: '<h1>another</h1>' }]);
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What the origin answers, by path; how often it was asked. */
const answers: Record<string, (res: ServerResponse) => unknown> = {
  '/pages.zip': (res) => res.end(ZIP),
  '/redirected.zip': (res) => res.writeHead(302, { Location: '/pages.zip' }).end(),
  '/insecure.zip': (res) => res.writeHead(302, { Location: 'http://127.0.0.1:9/pages.zip' }).end(),
  '/circle.zip': (res) => res.writeHead(302, { Location: '/circle.zip' }).end(),
  '/page.zip': (res) => res.end('<h1>not a ZIP file</h1>'),
  '/gone.zip': (res) => res.writeHead(404).end(),
  '/large.zip': (res) => res.writeHead(200, { 'Content-Length': 200 * 1024 * 1024 }).write('PK'),
  '/silent.zip': () => undefined,
  '/stalls.zip': (res) => res.writeHead(200).write(ZIP.subarray(0, 10)),
  '/cut.zip': (res) => {
    res.writeHead(200, { 'Content-Length': ZIP.length }).write(ZIP.subarray(0, 10), () => res.destroy());
  },
};
let asked = 0;

describeNeeds('openssl', HAS_OPENSSL)('an archive with an origin', () => {
  let certificates: Certificates;
  let origin: string;
  const server = { close: (): void => undefined };

  beforeAll(async () => {
    certificates = new Certificates(temporaryDirectory());
    const chain = certificates.text('server.pem') + certificates.text('intermediate.pem');
    const https = createServer({ key: certificates.text('server.key'), cert: chain }, (req, res) => {
      asked += 1;
      answers[req.url ?? '']?.(res);
    });
    server.close = (): void => {
      https.closeAllConnections();
      https.close();
    };
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
    origin = `https://127.0.0.1:${String((https.address() as AddressInfo).port)}`;
  });
  afterAll(() => server.close());

  /** @returns a node directory; the file of the archive is in a directory of its own. */
  function directoryFor(url: string, parts: object, there?: Uint8Array): string {
    const archive = {
      type: 'archive',
      archive: 'archives/pages.zip',
      origin: `${origin}${url}`,
      download: true,
      ...parts,
    };
    const cbdir = nodeDirectory(nodeConfig({ paths: { pages: archive } }));
    mkdirSync(path.join(cbdir, 'archives'));
    if (there !== undefined) writeFileSync(path.join(cbdir, 'archives/pages.zip'), there);
    return cbdir;
  }

  const env = (): Record<string, string> => ({ NODE_EXTRA_CA_CERTS: certificates.file('root.pem') });

  it.each<[string, string, object, Uint8Array | undefined, number]>([
    ['fetched when it is not there', '/pages.zip', { hashes: [hashOf(ZIP).toUpperCase()] }, undefined, 1],
    ['fetched from where the origin leads', '/redirected.zip', {}, undefined, 2],
    ['fetched when it is another than the hashes say', '/pages.zip', { hashes: [hashOf(ZIP)] }, OTHER, 1],
    ['not fetched when it is there', '/gone.zip', { hashes: [hashOf(OTHER), hashOf(ZIP)] }, ZIP, 0],
    ['not fetched when any will do', '/gone.zip', {}, ZIP, 0],
  ])('is %s', async (_what, url, parts, there, requests) => {
    asked = 0;
    const cbdir = directoryFor(url, parts, there);
    const daemon = await startDaemon({ cbdir, env: env() });
    const response = await fetch(daemon.url('/pages/'));
    expect([response.status, await response.text()]).toEqual([200, '<h1>from the origin</h1>']);
    expect([response.headers.get('content-encoding'), asked]).toEqual(['gzip', requests]);
    const again = await fetch(daemon.url('/pages/'), {
      headers: { 'If-None-Match': response.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
    expect(readdirSync(path.join(cbdir, 'archives'))).toEqual(['pages.zip']);
    expect(readFileSync(path.join(cbdir, 'archives/pages.zip'))).toEqual(ZIP);
    await daemon.dispose();
  });

  it.each<[string, string, object, RegExp]>([
    [
      'has another hash',
      '/pages.zip',
      { hashes: ['ab'.repeat(32)] },
      /its SHA-256 is [0-9a-f]{64}, which is none of the/,
    ],
    ['is no ZIP file', '/page.zip', {}, /it is no ZIP file/],
    ['is not found', '/gone.zip', {}, /the origin answered with the status 404/],
    ['leads away from TLS', '/insecure.zip', {}, /the origin leads to http:\/\/, which is not followed/],
    ['leads in a circle', '/circle.zip', {}, /leads elsewhere more than 5 times/],
    ['is too large', '/large.zip', {}, /more than 104857600 bytes/],
    ['is cut off', '/cut.zip', {}, /the download failed: /],
    ['says nothing', '/silent.zip', { options: { timeout: 1 } }, /silent for 1 seconds/],
    ['says nothing more', '/stalls.zip', { options: { timeout: 1 } }, /silent for 1 seconds/],
  ])('keeps the node from starting, and leaves nothing behind, when it %s', async (_what, url, parts, reason) => {
    const cbdir = directoryFor(url, parts);
    const node = spawnDaemon({ cbdir, env: env() });
    expect((await node.exited).code).toBe(1);
    expect(node.stderr).toMatch(reason);
    expect(node.stderr).toContain(`cannot serve the archive ${path.join(cbdir, 'archives/pages.zip')}: `);
    expect(readdirSync(path.join(cbdir, 'archives'))).toEqual([]);
    await node.dispose();
  });

  it('is not trusted with a certificate of a stranger, and is not fetched without download', async () => {
    const stranger = spawnDaemon({ cbdir: directoryFor('/pages.zip', {}) });
    expect((await stranger.exited).code).toBe(1);
    expect(stranger.stderr).toMatch(/the download failed: /);
    asked = 0;
    const cbdir = directoryFor('/pages.zip', { download: false });
    const without = spawnDaemon({ cbdir, env: env() });
    expect((await without.exited).code).toBe(1);
    expect(without.stderr).toContain('it does not exist');
    expect([asked, existsSync(path.join(cbdir, 'archives/pages.zip'))]).toEqual([0, false]);
    await Promise.all([stranger.dispose(), without.dispose()]);
  });
});
