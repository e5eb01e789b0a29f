/** Certificates that are replaced while an endpoint listens: by a rename, by a link, one file after the other, by a wrong one. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { createLogger } from '../../../../src/log/logger.js';
import { EndpointServer } from '../../../../src/transport/endpoint.js';
import { SYSTEM_FOLLOWING } from '../../../../src/transport/tls/followed-files.js';
import type { FollowingDeps } from '../../../../src/transport/tls/followed-files.js';
import { Certificates, HAS_OPENSSL } from '../../../support/certificates.js';
import { describeNeeds } from '../../../support/needs.js';

const DAY_MS = 86_400_000;

describeNeeds('the openssl command', HAS_OPENSSL)('the files of an endpoint', () => {
  let made: Certificates;
  let directory: string;
  let server: EndpointServer;
  let port: number;
  let now: number;
  let look: () => Promise<void>;
  let timers: number;
  let lines: Record<string, unknown>[];
  const clients: TLSSocket[] = [];

  beforeAll(() => {
    made = new Certificates(mkdtempSync(path.join(tmpdir(), 'followed-')));
  });
  afterAll(() => rmSync(made.directory, { recursive: true }));

  /** Where the endpoint finds its files. */
  const place = (name: string): string => path.join(directory, name);

  /** As the programs that renew certificates do: written beside it, then renamed. */
  function put(from: string, name: string): void {
    copyFileSync(made.file(from), place(`${name}.new`));
    renameSync(place(`${name}.new`), place(name));
  }

  async function start(tls: object): Promise<void> {
    const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    const log = createLogger({ level: 'info', destination });
    const accept = (socket: Socket): void => void socket.on('error', () => undefined).pipe(socket);
    const endpoint = { type: 'tcp', port: 0, interface: '127.0.0.1', tls: { chain_certificates: [], ...tls } };
    const following: FollowingDeps = {
      clock: () => now,
      every: (_ms, tick) => {
        timers += 1;
        look = tick;
        return () => (timers -= 1);
      },
      look: SYSTEM_FOLLOWING.look,
    };
    const acceptor = { accept, stop: () => Promise.resolve() };
    server = new EndpointServer(endpoint as never, acceptor, log, { following });
    const bound = await server.start();
    port = 'port' in bound ? bound.port : 0;
  }

  const seen = async (): Promise<unknown> => {
    const socket = await client();
    return socket.getPeerCertificate().subject.CN;
  };

  async function client(): Promise<TLSSocket> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    clients.push(socket);
    await once(socket, 'secureConnect');
    return socket;
  }

  beforeEach(() => {
    directory = mkdtempSync(path.join(made.directory, 'files-'));
    now = Date.now();
    timers = 0;
    lines = [];
    put('server.pem', 'tls.pem');
    put('server.key', 'tls.key');
  });

  afterEach(async () => {
    for (const socket of clients.splice(0)) socket.destroy();
    await server.stop();
    expect(timers).toBe(0);
  });

  const own = () => ({ key: place('tls.key'), certificate: place('tls.pem') });
  const told = (): unknown[] => lines.map(({ msg }) => msg).filter((msg) => !String(msg).includes('issuer'));

  it('are read again when they were renamed into place, and two looks agree', async () => {
    await start(own());
    const before = await client();
    put('client.pem', 'tls.pem');
    await look();
    // The key has not come yet: nothing was read.
    expect(told()).toEqual([]);
    put('client.key', 'tls.key');
    await look();
    expect(await seen()).toBe('server');
    await look();
    expect(await seen()).toBe('client');
    before.write('still there');
    expect(String((await once(before, 'data'))[0])).toBe('still there');
    const { fingerprint256, validTo } = new X509Certificate(made.text('client.pem'));
    expect(lines.find(({ msg }) => msg === 'certificate renewed')).toMatchObject({
      subject: 'CN=client',
      sha256: fingerprint256,
      validTo,
    });
    await look();
    expect(told()).toEqual(['certificate renewed']);
  });

  it('are read again when the link of their directory leads elsewhere, as in Kubernetes', async () => {
    for (const name of ['server', 'client']) {
      mkdirSync(place(`..${name}`));
      copyFileSync(made.file(`${name}.pem`), place(`..${name}/tls.crt`));
      copyFileSync(made.file(`${name}.key`), place(`..${name}/tls.key`));
    }
    symlinkSync('..server', place('..data'));
    for (const name of ['tls.crt', 'tls.key.link']) symlinkSync(`..data/${name.replace('.link', '')}`, place(name));
    await start({ key: place('tls.key.link'), certificate: place('tls.crt') });
    symlinkSync('..client', place('..data.new'));
    renameSync(place('..data.new'), place('..data'));
    await look();
    await look();
    expect(await seen()).toBe('client');
  });

  it('leave the old certificate in force when they are wrong, told once, until they are right', async () => {
    await start(own());
    put('client.pem', 'tls.pem');
    for (let count = 0; count < 4; count++) await look();
    expect(await seen()).toBe('server');
    expect(told()).toEqual(['new certificate not used: the one before stays in force']);
    expect(lines.at(-1)?.['reason']).toContain('does not belong to the certificate');
    writeFileSync(place('tls.pem'), 'nothing of the kind');
    for (let count = 0; count < 3; count++) await look();
    rmSync(place('tls.pem'));
    for (let count = 0; count < 3; count++) await look();
    expect(told()).toHaveLength(3);
    expect(await seen()).toBe('server');
    put('client.pem', 'tls.pem');
    put('client.key', 'tls.key');
    for (let count = 0; count < 2; count++) await look();
    expect(await seen()).toBe('client');
    expect(told().at(-1)).toBe('certificate renewed');
  });

  it('leave the old certificate in force when the new one is past', async () => {
    await start(own());
    put('client.pem', 'tls.pem');
    put('client.key', 'tls.key');
    now += 3 * DAY_MS;
    for (let count = 0; count < 3; count++) await look();
    expect(await seen()).toBe('server');
    expect(told()).toContain('new certificate not used: the one before stays in force');
    expect(lines.find(({ reason }) => reason !== undefined)?.['reason']).toContain('is past: it was valid to');
    // Nothing is told again at each look, not even what is odd about the files.
    const count = lines.length;
    for (let more = 0; more < 3; more++) await look();
    expect(lines).toHaveLength(count);
  });

  it('are used with a warning when they are not valid yet', async () => {
    await start(own());
    put('client.pem', 'tls.pem');
    put('client.key', 'tls.key');
    now -= 3 * DAY_MS;
    for (let count = 0; count < 2; count++) await look();
    expect(told()).toEqual(['a certificate of this transport is not valid now', 'certificate renewed']);
  });

  it('are warned of before they end, and then: each once', async () => {
    await start(own());
    // Made for two days: a quarter of that before the end, a twelfth, and the end.
    const ends = Date.parse(new X509Certificate(made.text('server.pem')).validTo);
    for (const hours of [13, 11, 10, 3, 2, -1, -2]) {
      now = ends - hours * 3_600_000;
      await look();
    }
    const soon = 'a certificate of this transport ends soon';
    expect(told()).toEqual([soon, soon, 'a certificate of this transport is not valid now']);
  });

  it('include those who sign the certificates of clients', async () => {
    put('stranger.pem', 'ca.pem');
    await start({ ...own(), ca_certificates: [place('ca.pem')] });
    const enter = async (): Promise<string> => {
      const [key, cert] = [made.text('client.key'), made.text('client.pem')];
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, key, cert });
      clients.push(socket);
      socket.on('error', () => undefined).write('in');
      const answer = new Promise<string>((resolve) => {
        socket.once('data', (data) => resolve(String(data))).once('close', () => resolve('refused'));
      });
      return answer;
    };
    expect(await enter()).toBe('refused');
    put('root.pem', 'ca.pem');
    for (let count = 0; count < 2; count++) await look();
    expect(await enter()).toBe('in');
    chmodSync(place('ca.pem'), 0o600);
  });
});
