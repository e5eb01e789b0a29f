/**
 * Reads the files of a `tls` section and tries them one by one, so that a wrong one is named: OpenSSL itself only says
 * that something does not fit.
 */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, rootCertificates } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { errorCode, messageOf } from '../../system/error.js';
import type { Logger } from '../../log/logger.js';
import type { TlsConfig } from './schema.js';

/** A file of a `tls` section, or one of its words, cannot be used; the message names both. */
export class TlsFileError extends Error {
  readonly code = 'ERR_TLS_FILE';
  override readonly name = 'TlsFileError';
  /** The key of the section, such as `chain_certificates/0`. */
  readonly key: string;
  /** What is wrong, without its place. */
  readonly reason: string;

  constructor(key: string, reason: string, options?: ErrorOptions) {
    super(`endpoint/tls/${key}: ${reason}`, options);
    this.key = key;
    this.reason = reason;
  }
}

/** What the files of a section are read with. */
export interface TlsReading {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Tells of a file that works, but probably not as it is meant. */
  readonly warn: (key: string, facts: Readonly<Record<string, string>>, text: string) => void;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** When so much of its time is left, or this part of it, a certificate should have been renewed. */
const SOON_MS = 30 * 86_400_000;
const SOON_PART = 4;

/** Read permission for the group or for all. */
const READABLE_BY_OTHERS = 0o044;

const FILE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'the path leads through a file',
  EACCES: 'not permitted',
  EISDIR: 'this is a directory',
};

/** A sequence, as DER begins it in Base64. */
const DH_PARAMETERS = /-----BEGIN DH PARAMETERS-----\s+MI[\w+/=\s]+-----END DH PARAMETERS-----/;

/**
 * @param now milliseconds since 1970.
 * @returns what a TLS server needs; whether clients need a certificate is not part of it.
 * @throws TlsFileError
 */
export async function readTlsFiles(
  config: TlsConfig,
  log: Logger,
  now = Date.now(),
): Promise<SecureContextOptions & { readonly cert: string }> {
  const reading: TlsReading = { now, warn: (_key, facts, text) => log.warn(facts, text) };
  const key = await readKey(config.key, reading);
  const certificate = await readCertificates('certificate', config.certificate, reading);
  checkPair(config, key, certificate);
  const chain = await readAll('chain_certificates', config.chain_certificates, reading);
  const { ca_certificates: authorities, ciphers, dhparam } = config;
  const ca = authorities && (await readAll('ca_certificates', authorities, reading));
  warnOfGap(config.certificate, [certificate, ...chain, ...(ca ?? [])], reading);
  return {
    key,
    cert: [certificate, ...chain].join('\n'),
    minVersion: 'TLSv1.2',
    // Sessions are not resumed: `tls-unique` and the check of client certificates hold for whole handshakes.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(ca && { ca }),
    ...(ciphers !== undefined && { ciphers: triedCiphers(ciphers) }),
    ...(dhparam !== undefined && { dhparam: await readDhParameters(dhparam) }),
  };
}

/** @throws TlsFileError when the key is that of another certificate. */
export function checkPair(config: TlsConfig, key: string, certificate: string): void {
  if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return;
  throw new TlsFileError('key', `${config.key} does not belong to the certificate in ${config.certificate}`);
}

/**
 * Browsers often fetch a certificate that is missing, or know it from elsewhere; programs never do. So nobody notices until
 * the first of them comes.
 * @param sent the text with the transport's own certificate first, then all that OpenSSL completes it from.
 */
export function warnOfGap(file: string, sent: readonly string[], { warn }: TlsReading): void {
  const [own, ...others] = sent.flatMap(certificatesOf);
  if (own === undefined || [own, ...others].some((other) => own.checkIssued(other))) return;
  if (rootCertificates.some((root) => own.checkIssued(new X509Certificate(root)))) return;
  warn(
    'certificate',
    { file, issuer: own.issuer.replaceAll('\n', ', ') },
    'the certificate of the issuer is missing: clients that do not know it refuse the connection (see chain_certificates)',
  );
}

function certificatesOf(pem: string): X509Certificate[] {
  return [...pem.matchAll(CERTIFICATE)].map(([text]) => new X509Certificate(text));
}

/** @throws TlsFileError */
export function triedCiphers(ciphers: string): string {
  tried('ciphers', JSON.stringify(ciphers), ciphers, (words) => createSecureContext({ ciphers: words }));
  return ciphers;
}

/** @throws TlsFileError (rejects) */
export async function readDhParameters(file: string): Promise<string> {
  const pem = await read('dhparam', file);
  tried('dhparam', file, pem, (text) => {
    // Node.js passes over what it cannot read.
    if (!DH_PARAMETERS.test(text)) throw new Error('no block "DH PARAMETERS"');
    createSecureContext({ dhparam: text });
  });
  return pem;
}

/** @throws TlsFileError (rejects) */
export async function readKey(file: string, { warn }: TlsReading): Promise<string> {
  const pem = await read('key', file);
  const { mode } = await stat(file);
  if ((mode & READABLE_BY_OTHERS) !== 0) {
    warn('key', { file, mode: (mode & 0o777).toString(8) }, 'others can read the key of this transport');
  }
  tried('key', file, pem, createPrivateKey);
  return pem;
}

function readAll(key: string, files: readonly string[], reading: TlsReading): Promise<string[]> {
  return Promise.all(files.map((file, index) => readCertificates(`${key}/${index}`, file, reading)));
}

/** @returns the certificates of a file. @throws TlsFileError (rejects) */
export async function readCertificates(key: string, file: string, { now, warn }: TlsReading): Promise<string> {
  const pem = await read(key, file);
  const { validFrom, validTo } = tried(key, file, pem, (text) => {
    createSecureContext({ cert: text });
    return new X509Certificate(text);
  });
  const [begin, end] = [Date.parse(validFrom), Date.parse(validTo)];
  if (now < begin || now > end) {
    warn(key, { file, validFrom, validTo }, 'a certificate of this transport is not valid now');
  } else if (end - now < Math.min(SOON_MS, (end - begin) / SOON_PART)) {
    warn(key, { file, validTo }, 'a certificate of this transport ends soon');
  }
  return pem;
}

async function read(key: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = errorCode(cause) ?? '';
    throw new TlsFileError(key, `${file} cannot be read: ${FILE_REASONS[code] ?? code} (${code})`, {
      cause,
    });
  }
}

/** @returns what `use` makes of the text. @throws TlsFileError when it cannot be used. */
function tried<T>(key: string, name: string, text: string, use: (text: string) => T): T {
  try {
    return use(text);
  } catch (cause) {
    throw new TlsFileError(key, `${name} cannot be used: ${reasonOf(cause, key)}`, { cause });
  }
}

/** The words of OpenSSL name the place in its own source; what is usually meant stands before them. */
function reasonOf(error: unknown, key: string): string {
  const text = messageOf(error);
  if (errorCode(error) === 'ERR_MISSING_PASSPHRASE' || /interrupted or cancelled|passphrase/i.test(text)) {
    return 'the key is encrypted with a passphrase (decrypt it with "openssl pkey")';
  }
  const expected: Readonly<Record<string, string>> = {
    key: 'no private key in PEM',
    ciphers: 'no cipher suite that OpenSSL knows',
    dhparam: 'no Diffie-Hellman parameters in PEM, or too short ones',
  };
  return `${expected[key] ?? 'no certificate in PEM'} (${text})`;
}
