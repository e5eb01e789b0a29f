/** The certificates that transports show to their clients, as their files are now: who they are for, and until when they are good. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { MonitoredWorker } from './source.js';

/** A certificate, or why it cannot be read. */
export interface MonitoredCertificate {
  readonly worker: string;
  readonly transport: string;
  readonly file: string;
  readonly subject: string | null;
  readonly issuer: string | null;
  /** The names that it is good for. */
  readonly names: string | null;
  /** UTC, ISO 8601. */
  readonly valid_from: string | null;
  readonly valid_to: string | null;
  /** SHA-256, upper-case hex with colons. */
  readonly fingerprint: string | null;
  /** Null where all is well. */
  readonly problem: string | null;
}

/** Reads the files. What cannot be read is told in its place. */
export async function certificatesOf(workers: readonly MonitoredWorker[]): Promise<readonly MonitoredCertificate[]> {
  const found: MonitoredCertificate[] = [];
  for (const { worker, certificates } of workers) {
    for (const { transport, file } of certificates) {
      found.push({ worker, transport, file, ...(await factsOf(file)) });
    }
  }
  return found;
}

type Facts = Omit<MonitoredCertificate, 'worker' | 'transport' | 'file'>;

const NOTHING: Facts = {
  ...{ subject: null, issuer: null, names: null, valid_from: null, valid_to: null, fingerprint: null },
  problem: 'the file cannot be read, or has no certificate in it',
};

async function factsOf(file: string): Promise<Facts> {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(await readFile(file));
  } catch {
    return NOTHING; // the operator sees which one, and the log has said more when the transport started
  }
  const { subject, issuer, subjectAltName, validFrom, validTo, fingerprint256 } = certificate;
  return {
    subject: inOneLine(subject),
    issuer: inOneLine(issuer),
    names: subjectAltName ?? null,
    valid_from: new Date(validFrom).toISOString(),
    valid_to: new Date(validTo).toISOString(),
    fingerprint: fingerprint256,
    problem: null,
  };
}

function inOneLine(name: string): string {
  return name.replaceAll('\n', ', ');
}
