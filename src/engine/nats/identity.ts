/**
 * Who a node is for NATS: its nkey, its credentials and its certificate. What is of no use is found before the node connects, because no
 * wait makes it better. No text says anything of what is secret.
 */
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../system/error.js';
import { EngineError } from '../engine.js';
import type { Authenticator, TlsOptions } from '@nats-io/transport-node';
import type { NatsPackages } from './packages.js';
import type { NatsConfig, NatsTlsConfig } from './schema.js';

/** Three parts of Base64url. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const CERTIFICATE = /-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/;

/**
 * @returns what answers the challenge of a server; undefined where the config has neither an nkey nor credentials.
 * Rejects with EngineError `refused` when one is malformed, or its file cannot be read.
 */
export async function authenticatorOf(
  { transport }: Pick<NatsPackages, 'transport'>,
  { nkey, credentials }: Pick<NatsConfig, 'nkey' | 'credentials'>,
): Promise<Authenticator | undefined> {
  if (nkey !== undefined) {
    const authenticator = transport.nkeyAuthenticator(new TextEncoder().encode(nkey));
    return tried(authenticator, '"nkey" is not the seed of a user (allowed: SU, and 56 letters and digits)');
  }
  if (credentials === undefined) return undefined;
  const authenticator = transport.credsAuthenticator(await contentOf(credentials));
  const text = `the file ${credentials} is not one of credentials as \`nsc\` writes it (allowed: the JWT of a user, and the seed of its nkey)`;
  return tried(authenticator, text);
}

/** Rejects with EngineError `refused` when a file cannot be read, or does not hold what it should. */
export async function tlsOf({ ca_certificates: authorities, certificate, key }: NatsTlsConfig): Promise<TlsOptions> {
  const [ca, cert, privateKey] = await Promise.all([
    authorities && Promise.all(authorities.map((file) => blockOf(file, CERTIFICATE))),
    certificate === undefined ? undefined : blockOf(certificate, CERTIFICATE),
    key === undefined ? undefined : blockOf(key, PRIVATE_KEY),
  ]);
  return {
    ...(ca !== undefined && { ca: ca.join('\n') }),
    ...(cert !== undefined && { cert }),
    ...(privateKey !== undefined && { key: privateKey }),
  };
}

/** The library would look at it only when a server asks, and take what it finds for a loss of the link. */
function tried(authenticator: Authenticator, text: string): Authenticator {
  if (!isOfUser(authenticator)) throw new EngineError('refused', text);
  return authenticator;
}

function isOfUser(authenticator: Authenticator): boolean {
  try {
    const { nkey, jwt } = authenticator() as Readonly<{ nkey?: string; jwt?: string }>;
    return nkey?.startsWith('U') === true && (jwt === undefined || JWT.test(jwt));
  } catch {
    // Its reason may quote the secret.
    return false;
  }
}

async function blockOf(file: string, block: RegExp): Promise<string> {
  const text = Buffer.from(await contentOf(file)).toString('utf8');
  if (block.test(text)) return text;
  const missing = block === CERTIFICATE ? 'certificate' : 'private key';
  throw new EngineError('refused', `the file ${file} holds no ${missing} in PEM`);
}

async function contentOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new EngineError('refused', `the file ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
