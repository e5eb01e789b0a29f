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
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** When so much of its time is left, or this part of it, a certificate should have been renewed. */
const SOON_MS = 14 * 86_400_000;
const SOON_PART = 5;

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
 * @returns what a TLS server needs; whether clients need a certificate is not part of it.
 * @throws TlsFileError
 */
export async function readTlsFiles(config: TlsConfig, log: Logger): Promise<SecureContextOptions> {
  const key = await readKey(config.key, log);
  const certificate = await readCertificates('certificate', config.certificate, log);
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
    throw new TlsFileError(
      `endpoint/tls/key: ${config.key} does not belong to the certificate in ${config.certificate}`,
    );
  }
  const chain = await readAll('chain_certificates', config.chain_certificates, log);
  const { ca_certificates: authorities, ciphers, dhparam } = config;
  const ca = authorities && (await readAll('ca_certificates', authorities, log));
  warnOfGap(config.certificate, [certificate, ...chain, ...(ca ?? [])].flatMap(certificatesOf), log);
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

/**
 * Browsers often fetch a certificate that is missing, or know it from elsewhere; programs never do. So nobody notices until
 * the first of them comes.
 * @param sent the transport's own certificate first, then all that OpenSSL completes it from.
 */
function warnOfGap(file: string, sent: readonly X509Certificate[], log: Logger): void {
  const [own, ...others] = sent;
  if (own === undefined || [own, ...others].some((other) => own.checkIssued(other))) return;
  if (rootCertificates.some((root) => own.checkIssued(new X509Certificate(root)))) return;
  log.warn(
    { file, issuer: own.issuer.replaceAll('\n', ', ') },
    'the certificate of the issuer is missing: clients that do not know it refuse the connection (see chain_certificates)',
  );
}

function certificatesOf(pem: string): X509Certificate[] {
  return [...pem.matchAll(CERTIFICATE)].map(([text]) => new X509Certificate(text));
}

function triedCiphers(ciphers: string): string {
  tried('ciphers', JSON.stringify(ciphers), ciphers, (words) => createSecureContext({ ciphers: words }));
  return ciphers;
}

async function readDhParameters(file: string): Promise<string> {
  const pem = await read('dhparam', file);
  tried('dhparam', file, pem, (text) => {
    // Node.js passes over what it cannot read.
    if (!DH_PARAMETERS.test(text)) throw new Error('no block "DH PARAMETERS"');
    createSecureContext({ dhparam: text });
  });
  return pem;
}

async function readKey(file: string, log: Logger): Promise<string> {
  const pem = await read('key', file);
  const { mode } = await stat(file);
  if ((mode & READABLE_BY_OTHERS) !== 0) {
    log.warn({ file, mode: (mode & 0o777).toString(8) }, 'others can read the key of this transport');
  }
  tried('key', file, pem, createPrivateKey);
  return pem;
}

function readAll(key: string, files: readonly string[], log: Logger): Promise<string[]> {
  return Promise.all(files.map((file, index) => readCertificates(`${key}/${index}`, file, log)));
}

/** @returns the certificates of a file. */
async function readCertificates(key: string, file: string, log: Logger): Promise<string> {
  const pem = await read(key, file);
  const { validFrom, validTo } = tried(key, file, pem, (text) => {
    createSecureContext({ cert: text });
    return new X509Certificate(text);
  });
  const [now, begin, end] = [Date.now(), Date.parse(validFrom), Date.parse(validTo)];
  if (now < begin || now > end) {
    log.warn({ file, validFrom, validTo }, 'a certificate of this transport is not valid now');
  } else if (end - now < Math.min(SOON_MS, (end - begin) / SOON_PART)) {
    log.warn({ file, validTo }, 'a certificate of this transport ends soon');
  }
  return pem;
}

async function read(key: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = errorCode(cause) ?? '';
    throw new TlsFileError(`endpoint/tls/${key}: ${file} cannot be read: ${FILE_REASONS[code] ?? code} (${code})`, {
      cause,
    });
  }
}

/** @returns what `use` makes of the text. @throws TlsFileError when it cannot be used. */
function tried<T>(key: string, name: string, text: string, use: (text: string) => T): T {
  try {
    return use(text);
  } catch (cause) {
    throw new TlsFileError(`endpoint/tls/${key}: ${name} cannot be used: ${reasonOf(cause, key)}`, { cause });
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
