/** What a connection by TLS to another server is opened with. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { ClientTlsConfig } from '../../remote/endpoint-schema.js';

/** Rejects when a file of the config cannot be read. @param host that is connected to. */
export async function clientTlsOptions(
  host: string,
  { hostname = host, ca_certificates: authorities, certificate, key }: ClientTlsConfig,
): Promise<ConnectionOptions> {
  const [ca, cert, privateKey] = await Promise.all([
    authorities && Promise.all(authorities.map((file) => readFile(file))),
    certificate === undefined ? undefined : readFile(certificate),
    key === undefined ? undefined : readFile(key),
  ]);
  return {
    minVersion: 'TLSv1.2',
    // By itself it would look for the name that it connects to.
    checkServerIdentity: (_name, found) => checkServerIdentity(hostname, found),
    // An address is no name that can be asked for.
    ...(isIP(hostname) === 0 && { servername: hostname }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(privateKey !== undefined && { key: privateKey }),
  };
}
