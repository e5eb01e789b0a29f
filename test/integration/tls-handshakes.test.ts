/** TLS handshakes that fail: each kind leaves a line that says why, and what would let the client in. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { handshakeFaultOf } from '../../src/transport/tls/handshake-fault.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';

describeNeeds('the openssl command', HAS_OPENSSL)('a TLS handshake that fails', () => {
  let certificates: Certificates;
  let node: Daemon;
  beforeAll(async () => {
    certificates = new Certificates(temporaryDirectory());
    const tls = {
      key: certificates.file('server.key'),
      certificate: certificates.file('server.pem'),
      chain_certificates: [certificates.file('intermediate.pem')],
    };
    const known = { ...LOOPBACK, tls: { ...tls, ca_certificates: [certificates.file('root.pem')] } };
    node = await startDaemon({
      config: nodeConfig({
        transport: { endpoint: { ...LOOPBACK, tls } },
        transports: [{ type: 'websocket', endpoint: known }],
      }),
    });
  });
  afterAll(() => node.dispose());

  const port = (index: number): number => Number(node.listening()[index]?.['port']);
  const isIt =
    (facts: object) =>
    ({ msg, ...record }: LogRecord): boolean =>
      msg === 'TLS handshake failed' && Object.entries(facts).every(([key, value]) => record[key] === value);
  const told = (code: string): Promise<LogRecord> => node.waitForLog(isIt({ level: 'warn', code }));

  /** Ends when the connection does, however. */
  function handshake(index: number, options: ConnectionOptions): Promise<void> {
    const socket = connectTls({ ...options, host: '127.0.0.1', port: port(index) });
    socket.on('error', () => socket.destroy()).resume();
    return new Promise((resolve) => socket.on('close', () => resolve()));
  }

  it('because the client speaks http', async () => {
    for (let round = 0; round < 3; round += 1) {
      const socket = connect({ host: '127.0.0.1', port: port(0) });
      socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await new Promise((resolve) => socket.on('close', resolve).resume());
    }
    expect(await told('ERR_SSL_HTTP_REQUEST')).toMatchObject({
      peer: expect.stringMatching(/^127\.0\.0\.1:/) as unknown,
      reason: 'http request',
      remedy: expect.stringContaining('https or wss') as unknown,
    });
    expect(node.logs.filter(isIt({ code: 'ERR_SSL_HTTP_REQUEST' }))).toHaveLength(1);
  });

  it('because the client does not trust the certificate', async () => {
    // Node.js hangs up without a word; curl says why, as browsers do.
    await new Promise((resolve) => execFile('curl', ['-s', `https://127.0.0.1:${port(0)}/`], resolve));
    expect(await told('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')).toMatchObject({
      remedy: expect.stringContaining('does not trust') as unknown,
    });
  });

  it('because the client has no certificate', async () => {
    await handshake(1, { ca: certificates.text('root.pem') });
    expect(await told('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE')).toMatchObject({
      remedy: expect.stringContaining('ca_certificates') as unknown,
    });
  });
});

it('is no news where a client left, or said nothing', () => {
  for (const code of ['ECONNRESET', 'ERR_TLS_HANDSHAKE_TIMEOUT']) {
    expect(handshakeFaultOf(Object.assign(new Error('gone'), { code }))).toBeUndefined();
  }
});
