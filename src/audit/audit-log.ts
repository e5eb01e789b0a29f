/**
 * The audit log in a file: one line of JSON for each entry, written at once, and synced within a second. Nothing is dropped as long as
 * memory allows: what cannot be written waits, and is tried again with the next entry and each second.
 *
 *     written --the disk is full, the directory gone--> failing: told once; `required`: nobody is let in
 *        ^                                                 |
 *        +----------------- all that waited is written -----+
 */
import { closeSync, fdatasync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Audit, AuditRecord } from '../log/audit.js';
import type { Logger } from '../log/logger.js';
import { Denials } from './denials.js';
import type { AuditConfig } from './schema.js';

/** Who may read it: addresses and names of users are in it. */
const MODE = 0o640;
const DIRECTORY_MODE = 0o750;

const SYNC_MS = 1000;

/** How much waits while the file cannot be written, in bytes. */
const MAX_WAITING = 1_048_576;

/** Text of clients may be as long as a message. */
const MAX_TEXT = 256;

/** The audit log of one node. */
export class AuditLog implements Audit {
  readonly #config: AuditConfig;
  readonly #log: Logger;
  readonly #events: ReadonlySet<string>;
  readonly #denials = new Denials(
    () => performance.now(),
    (entry) => this.#write(entry),
  );
  readonly #timer: NodeJS.Timeout;
  #fd: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Entries for which there was no memory. */
  #lost = 0;
  #isFailing = false;
  /** Something was written since the last sync. */
  #isDirty = false;
  #isSyncing = false;

  /** @throws the error of the system when the file cannot be opened: who asks for an audit log gets one. */
  constructor(config: AuditConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#events = new Set(config.events);
    mkdirSync(dirname(config.file), { recursive: true, mode: DIRECTORY_MODE });
    this.#fd = openSync(config.file, 'a', MODE);
    this.#timer = setInterval(() => this.#tick(), SYNC_MS).unref();
  }

  record(entry: AuditRecord): boolean {
    if (this.#config.events !== undefined && !this.#events.has(entry.event)) return true;
    // That one is the last.
    if (entry.event === 'node stopped') this.#denials.end();
    if (entry.event === 'permission denied') this.#denials.add(entry);
    else this.#write(entry);
    return !(this.#config.required && this.#isFailing);
  }

  /** Goes on in the file that has the name now, or in a new one. Where none can be opened, it stays with the old one. */
  reopen(): void {
    try {
      const fd = openSync(this.#config.file, 'a', MODE);
      this.#flush();
      this.#closeFile();
      this.#fd = fd;
    } catch (error) {
      return this.#failed(error);
    }
    this.#flush();
  }

  /** Writes what waits, and closes the file. Nothing can be recorded afterwards. */
  close(): void {
    clearInterval(this.#timer);
    this.#denials.end();
    this.#flush();
    this.#closeFile();
  }

  #closeFile(): void {
    try {
      fdatasyncSync(this.#fd);
    } catch (error) {
      this.#syncFailed(error as NodeJS.ErrnoException);
    }
    closeSync(this.#fd);
  }

  /** A pipe cannot be synced. */
  #syncFailed(error: NodeJS.ErrnoException): void {
    if (error.code !== 'EINVAL' && error.code !== 'EBADF') this.#failed(error);
  }

  #write({ event, about, ...facts }: AuditRecord): void {
    const entry = { time: new Date().toISOString(), event, ...facts, ...about };
    const line = Buffer.from(`${JSON.stringify(entry, shortened)}\n`);
    if (this.#waitingBytes + line.length > MAX_WAITING) {
      this.#lost += 1;
      return this.#flush();
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#flush();
  }

  /** Writes all that waits, as far as the file takes it. */
  #flush(): void {
    try {
      for (let [line] = this.#waiting; line !== undefined; [line] = this.#waiting) {
        const written = writeSync(this.#fd, line);
        this.#isDirty = true;
        this.#waitingBytes -= written;
        if (written === line.length) this.#waiting.shift();
        else this.#waiting[0] = line.subarray(written);
      }
    } catch (error) {
      return this.#failed(error);
    }
    if (this.#isFailing) this.#log.info({ file: this.#config.file, lost: this.#lost }, 'audit log is written again');
    this.#isFailing = false;
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.#write({ event: 'entries lost', about: { lost } });
  }

  #failed(err: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const { file, required } = this.#config;
    const effect = required ? 'nobody can log in until it can be written' : 'entries wait in memory, 1 MiB at most';
    this.#log.error({ err, file, effect }, 'audit log cannot be written');
  }

  #tick(): void {
    this.#denials.forgetOld();
    if (this.#waiting.length > 0) this.#flush();
    if (!this.#isDirty || this.#isSyncing) return;
    this.#isDirty = false;
    this.#isSyncing = true;
    fdatasync(this.#fd, (error) => {
      this.#isSyncing = false;
      if (error !== null) this.#syncFailed(error);
    });
  }
}

function shortened(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
}
