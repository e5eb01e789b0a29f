/**
 * The files of a `tls` section while the node runs. They are replaced by programs that know nothing of the node, one after the other, by a
 * rename or by a symbolic link that leads elsewhere. So nobody is told, and there is a look every ten seconds:
 *
 *     as used --they look otherwise--> changing --twice the same--> read and checked --> used
 *                                         ^                              |
 *                                         +--- what is wrong, told once -+   (the old certificate stays)
 *
 * What a file is, is its device, inode, size and time, behind all links. `fs.watch` sees the first replacement only, and none by a link.
 * Clock, timer and looks are passed in for tests.
 */
import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { errorCode, messageOf } from '../../system/error.js';
import { silentLogger } from '../../log/logger.js';
import type { Logger } from '../../log/logger.js';
import { readTlsFiles, TlsFileError } from './files.js';
import type { TlsConfig } from './schema.js';

/** Time and looks, as {@link FollowedFiles} takes them. */
export interface FollowingDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Calls `tick`, which never rejects, again and again, and keeps no process alive. @returns what ends that. */
  readonly every: (ms: number, tick: () => Promise<void>) => () => void;
  /** @returns (never rejects) a text that changes when the file is written or replaced. */
  readonly look: (file: string) => Promise<string>;
}

/** How often the files are looked at. */
const LOOK_EVERY_MS = 10_000;

const DAY_MS = 86_400_000;
/** When the end of a certificate is told: so long before it, or this part of its whole time before, where that is less. */
const REMINDERS = [
  { ms: 21 * DAY_MS, part: 4 },
  { ms: 7 * DAY_MS, part: 12 },
  { ms: 0, part: Infinity },
];

/** What the system has for it. */
export const SYSTEM_FOLLOWING: FollowingDeps = {
  clock: Date.now,
  every: (ms, tick) => {
    const timer = setInterval(() => void tick(), ms).unref();
    return () => clearInterval(timer);
  },
  look: async (file) => {
    try {
      const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
      return `${String(dev)}:${String(ino)}:${String(size)}:${String(mtimeNs)}`;
    } catch (error) {
      return errorCode(error) ?? 'unreadable';
    }
  },
};

/** Puts what is in the files in force: throws when it cannot be used. */
export type UseCertificate = (options: SecureContextOptions, certificate: X509Certificate) => void;

/** What was read, and when. */
interface ReadFiles {
  readonly config: TlsConfig;
  /** What the files looked like before. */
  readonly marks: string;
  readonly now: number;
  readonly options: SecureContextOptions;
  readonly certificate: X509Certificate;
}

/** Reads the files of one endpoint, and again whenever they have changed. */
export class FollowedFiles {
  readonly #use: UseCertificate;
  readonly #log: Logger;
  readonly #deps: FollowingDeps;
  #config: TlsConfig;
  /** What the files looked like that are in force. */
  #used = '';
  /** What they looked like at the last look. */
  #seen = '';
  /** The last fault that was told, and what the files looked like. */
  #told: { readonly reason: string; readonly marks: string } | undefined;
  #certificate: X509Certificate | undefined;
  /** How many of the reminders of the certificate were told. */
  #reminded = 0;
  #end: (() => void) | undefined;
  #looking: Promise<void> | undefined;

  constructor(config: TlsConfig, use: UseCertificate, log: Logger, deps: FollowingDeps = SYSTEM_FOLLOWING) {
    this.#config = config;
    this.#use = use;
    this.#log = log;
    this.#deps = deps;
  }

  /**
   * Reads the files for the first time: a certificate that is past is told, and used. From now on they are followed.
   * @throws TlsFileError (rejects) when a file cannot be used.
   */
  async begin(): Promise<void> {
    (await this.#read(this.#config, false))();
    this.#end ??= this.#deps.every(LOOK_EVERY_MS, () => this.look());
  }

  /**
   * Reads the files of this section.
   * @returns what puts them in force and follows them.
   * @throws TlsFileError (rejects) when a file cannot be used, or the certificate is past: then all stays as it was.
   */
  async prepare(config: TlsConfig): Promise<() => void> {
    await this.#looking;
    return this.#read(config, true);
  }

  /** @returns whether the files of this section are not those in force: other ones, or written or replaced since. */
  async differs(config: TlsConfig): Promise<boolean> {
    return (await this.#marksOf(config)) !== this.#used;
  }

  /** Looks whether there is something new. One look at a time; never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#lookAround().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Ends it; a look under way has no effect any more. */
  end(): void {
    this.#end?.();
    this.#end = undefined;
  }

  async #lookAround(): Promise<void> {
    this.#remind();
    const config = this.#config;
    const marks = await this.#marksOf(config);
    const isSettled = marks === this.#seen;
    this.#seen = marks;
    // Key and certificate change one after the other: it is not the time to read them while they do.
    if (marks === this.#used || !isSettled || this.#end === undefined) return;
    try {
      (await this.#read(config, true))();
    } catch (error) {
      // It is tried at each look, because not only the files may be what is wrong, and told once.
      const reason = messageOf(error);
      const isKnown = this.#told?.reason === reason;
      this.#told = { reason, marks };
      if (isKnown) return;
      this.#log.error({ reason }, 'new certificate not used: the one before stays in force');
    }
  }

  async #read(config: TlsConfig, isRenewal: boolean): Promise<() => void> {
    const marks = await this.#marksOf(config);
    const now = this.#deps.clock();
    // Of files that were refused as they are, what else is odd has been told.
    const log = this.#told?.marks === marks ? silentLogger() : this.#log;
    const options = await readTlsFiles(config, log, now);
    // What else OpenSSL has against it, before anything changes.
    createSecureContext(options);
    const certificate = new X509Certificate(options.cert);
    if (isRenewal && now > Date.parse(certificate.validTo)) {
      throw new TlsFileError('certificate', `${config.certificate} is past: it was valid to ${certificate.validTo}`);
    }
    return () => this.#take({ config, marks, now, options, certificate }, isRenewal);
  }

  #take({ config, marks, now, options, certificate }: ReadFiles, isRenewal: boolean): void {
    this.#use(options, certificate);
    this.#config = config;
    this.#used = marks;
    this.#seen = marks;
    this.#told = undefined;
    this.#certificate = certificate;
    // Of those that are due already the reading has told.
    this.#reminded = this.#remindersDue(certificate, now);
    const { subject, fingerprint256, validTo } = certificate;
    const facts = { subject: subject.replaceAll('\n', ', '), sha256: fingerprint256, validTo };
    if (isRenewal) this.#log.info(facts, 'certificate renewed');
    else this.#log.debug(facts, 'certificate in force');
  }

  #remind(): void {
    if (this.#certificate === undefined) return;
    const due = this.#remindersDue(this.#certificate, this.#deps.clock());
    if (due <= this.#reminded) return;
    this.#reminded = due;
    const { validFrom, validTo } = this.#certificate;
    const file = this.#config.certificate;
    if (due < REMINDERS.length) this.#log.warn({ file, validTo }, 'a certificate of this transport ends soon');
    else this.#log.warn({ file, validFrom, validTo }, 'a certificate of this transport is not valid now');
  }

  #remindersDue({ validFrom, validTo }: X509Certificate, now: number): number {
    const end = Date.parse(validTo);
    const whole = end - Date.parse(validFrom);
    return REMINDERS.filter(({ ms, part }) => end - now < Math.min(ms, whole / part)).length;
  }

  async #marksOf({ key, certificate, chain_certificates, ca_certificates = [], dhparam }: TlsConfig): Promise<string> {
    const files = [
      key,
      certificate,
      ...chain_certificates,
      ...ca_certificates,
      ...(dhparam === undefined ? [] : [dhparam]),
    ];
    const marks = await Promise.all(files.map(async (file) => `${file} ${await this.#deps.look(file)}`));
    return marks.join('\n');
  }
}
