/** An endpoint that gets other certificates while it listens. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { silentLogger } from '../../../src/log/logger.js';
import { EndpointServer } from '../../../src/transport/endpoint.js';
import { Certificates, HAS_OPENSSL } from '../../support/certificates.js';
import { describeNeeds } from '../../support/needs.js';

describeNeeds('the openssl command', HAS_OPENSSL)('an endpoint with TLS', () => {
  let files: Certificates;
  let server: EndpointServer;
  let port: number;
  const clients: TLSSocket[] = [];

  const tls = (name: string, key = name) => ({
    key: files.file(`${key}.key`),
    certificate: files.file(`${name}.pem`),
    chain_certificates: [],
  });

  beforeAll(() => {
    files = new Certificates(mkdtempSync(path.join(tmpdir(), 'endpoint-')));
  });

  afterAll(() => rmSync(files.directory, { recursive: true }));

  beforeEach(async () => {
    const accept = (socket: Socket): void => void socket.on('error', () => undefined).pipe(socket);
    const endpoint = { type: 'tcp', port: 0, interface: '127.0.0.1', tls: tls('server') } as const;
    server = new EndpointServer(endpoint as never, { accept, stop: () => Promise.resolve() }, silentLogger());
    const bound = await server.start();
    port = 'port' in bound ? bound.port : 0;
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await server.stop();
  });

  async function client(): Promise<TLSSocket> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    clients.push(socket);
    await once(socket, 'secureConnect');
    return socket;
  }

  const nameOf = (socket: TLSSocket): unknown => socket.getPeerCertificate().subject.CN;

  it('shows the new certificate to new connections, and old ones go on', async () => {
    const before = await client();
    await server.renew(tls('client'));
    expect(nameOf(before)).toBe('server');
    expect(nameOf(await client())).toBe('client');
    before.write('still there');
    expect(String((await once(before, 'data'))[0])).toBe('still there');
    expect(server.stats).toEqual({ connections: 2, handshakes: 0 });
  });

  it('keeps the old one when a file cannot be used', async () => {
    await expect(server.renew(tls('client', 'server'))).rejects.toThrow('does not belong to the certificate');
    await expect(server.renew(tls('missing'))).rejects.toThrow('there is no such file');
    expect(nameOf(await client())).toBe('server');
  });

  it('does not begin to ask clients for certificates', async () => {
    const asking = { ...tls('client'), ca_certificates: [files.file('root.pem')] };
    await expect(server.renew(asking)).rejects.toThrow(TypeError);
    expect(nameOf(await client())).toBe('server');
  });
});
