/**
 * Looks at all files of a `tls` section. The start ends at the first that is wrong; here each of them is told.
 */
import type { Look } from '../../schema/look.js';
import {
  checkPair,
  readCertificates,
  readDhParameters,
  readKey,
  TlsFileError,
  triedCiphers,
  warnOfGap,
} from './files.js';
import type { TlsReading } from './files.js';
import type { TlsConfig } from './schema.js';

/** The look `tls`. */
export const lookAtTls: Look<TlsConfig> = async (config, { clock, report, warn }) => {
  const reading: TlsReading = {
    now: clock(),
    warn: (key, facts, text) => warn(key.split('/'), `${text} (${factsText(facts)})`),
  };
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error;
      report(error.key.split('/'), error.reason);
      return undefined;
    }
  };
  const certificates = (key: string, files: readonly string[]) =>
    Promise.all(files.map((file, index) => attempt(() => readCertificates(`${key}/${index}`, file, reading))));

  const key = await attempt(() => readKey(config.key, reading));
  const certificate = await attempt(() => readCertificates('certificate', config.certificate, reading));
  if (key !== undefined && certificate !== undefined) await attempt(() => checkPair(config, key, certificate));
  const chain = await certificates('chain_certificates', config.chain_certificates);
  const authorities = await certificates('ca_certificates', config.ca_certificates ?? []);
  const sent = [certificate, ...chain, ...authorities];
  // With one that is missing nobody can say what would be missing without it.
  if (sent.every((text) => text !== undefined)) warnOfGap(config.certificate, sent, reading);
  const { ciphers, dhparam } = config;
  if (ciphers !== undefined) await attempt(() => triedCiphers(ciphers));
  if (dhparam !== undefined) await attempt(() => readDhParameters(dhparam));
};

function factsText(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
}
