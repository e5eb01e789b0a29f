/**
 * Certificates for tests of TLS, made anew with the `openssl` command: a root, an intermediate that signs the server's
 * certificate for 127.0.0.1 and localhost, and clients of this root and of a stranger's. Keys are elliptic: made in no time.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

const SERVER = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
const CA = 'basicConstraints=critical,CA:TRUE';
const CLIENT = 'extendedKeyUsage=clientAuth';

/** Makes `NAME.pem` and `NAME.key` in a directory for each of the names below. */
export class Certificates {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    this.#make('root', undefined, CA);
    this.#make('intermediate', 'root', CA);
    this.#make('server', 'intermediate', SERVER);
    this.#make('client', 'root', CLIENT);
    this.#make('stranger', undefined, CA);
    this.#make('strangers-client', 'stranger', CLIENT);
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  text(name: string): string {
    return readFileSync(this.file(name), 'utf8');
  }

  write(name: string, text: string): void {
    writeFileSync(this.file(name), text, { mode: 0o600 });
  }

  /** Runs `openssl` in the directory. */
  openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.directory, stdio: 'pipe' });
  }

  #make(name: string, issuer: string | undefined, extension: string): void {
    const signed = issuer === undefined ? [] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', `${name}.key`];
    // `req -CA` came with OpenSSL 3.
    this.openssl(
      ...['req', '-x509', ...key, ...signed, '-out', `${name}.pem`],
      ...['-days', '2', '-subj', `/CN=${name}`, '-addext', extension],
    );
    chmodSync(this.file(`${name}.key`), 0o600);
  }
}
