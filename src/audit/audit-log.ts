/**
 * The audit log: one line of JSON for each entry, written at once to its place (`place.ts`), and synced within a second. Nothing is dropped
 * as long as memory allows: what cannot be written waits, and is tried again with the next entry and each second.
 *
 *     written --the disk is full, nobody reads-------> failing: told once; `required`: nobody is let in
 *        ^                                                 |
 *        +----------------- all that waited is written -----+
 */
import type { Audit, AuditRecord } from '../log/audit.js';
import type { Logger } from '../log/logger.js';
import { Denials } from './denials.js';
import type { AuditPlace } from './place.js';
import type { AuditConfig } from './schema.js';

const SYNC_MS = 1000;

/** How much waits while nothing can be written, in bytes. */
const MAX_WAITING = 1_048_576;

/** Text of clients may be as long as a message. */
const MAX_TEXT = 256;

/** The audit log of one node. */
export class AuditLog implements Audit {
  readonly #config: Pick<AuditConfig, 'events' | 'required'>;
  readonly #place: AuditPlace;
  readonly #mark: object;
  readonly #log: Logger;
  readonly #events: ReadonlySet<string>;
  readonly #denials = new Denials(
    () => performance.now(),
    (entry) => this.#write(entry),
  );
  readonly #timer: NodeJS.Timeout;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** The whole of the first line that waits, where a part of it is written. */
  #begun: Buffer | undefined;
  /** Entries for which there was no memory, and that no entry tells of. */
  #lost = 0;
  /** The same, that the log has not told of. */
  #untold = 0;
  #isFailing = false;
  /** Something was written since the last sync. */
  #isDirty = false;
  #isSyncing = false;

  /** @param mark what tells a line from others in the same place. */
  constructor(config: Pick<AuditConfig, 'events' | 'required'>, place: AuditPlace, log: Logger, mark: object = {}) {
    this.#config = config;
    this.#place = place;
    this.#log = log;
    this.#mark = mark;
    this.#events = new Set(config.events);
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
    this.#flush();
    try {
      if (this.#place.reopen()) this.#beginAgain();
    } catch (err) {
      const file = this.#place.name;
      return this.#log.error({ err, file }, 'audit log cannot be opened anew, it goes on in the file that it has');
    }
    this.#flush();
  }

  /** Writes what waits, and closes the place. Nothing can be recorded afterwards. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#denials.end();
    this.#flush();
    try {
      await this.#place.close();
    } catch (error) {
      this.#failed(error);
    }
    const lost = this.#lost + this.#waiting.length;
    if (lost > 0) this.#log.error({ file: this.#place.name, lost }, 'the end of the audit log is lost');
  }

  /** Half a line is in the old file: the new one gets the whole. */
  #beginAgain(): void {
    const [rest] = this.#waiting;
    if (this.#begun === undefined || rest === undefined) return;
    this.#waitingBytes += this.#begun.length - rest.length;
    this.#waiting[0] = this.#begun;
    this.#begun = undefined;
  }

  #write(entry: AuditRecord): void {
    if (!this.#append(entry)) {
      this.#lost += 1;
      this.#untold += 1;
    }
    this.#flush();
  }

  /** @returns false when there is no room for it. */
  #append({ event, about, ...facts }: AuditRecord): boolean {
    const entry = { ...this.#mark, time: new Date().toISOString(), event, ...facts, ...about };
    const line = Buffer.from(`${JSON.stringify(entry, shortened)}\n`);
    if (this.#waitingBytes + line.length > MAX_WAITING) return false;
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    return true;
  }

  /** Writes all that waits, as far as there is room for it, and then how many are lost. */
  #flush(): void {
    try {
      this.#writeWaiting();
      if (this.#lost > 0 && this.#append({ event: 'entries lost', about: { lost: this.#lost } })) {
        this.#lost = 0;
        this.#writeWaiting();
      }
    } catch (error) {
      return this.#failed(error);
    }
    if (!this.#isFailing) return;
    this.#log.info({ file: this.#place.name, lost: this.#untold }, 'audit log is written again');
    this.#isFailing = false;
    this.#untold = 0;
  }

  #writeWaiting(): void {
    for (let [line] = this.#waiting; line !== undefined; [line] = this.#waiting) {
      const written = this.#place.write(line);
      this.#isDirty = true;
      this.#waitingBytes -= written;
      if (written === line.length) {
        this.#waiting.shift();
        this.#begun = undefined;
      } else {
        this.#begun ??= line;
        this.#waiting[0] = line.subarray(written);
      }
    }
  }

  #failed(err: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const { required } = this.#config;
    const file = this.#place.name;
    const effect = required ? 'nobody can log in until it can be written' : 'entries wait in memory, 1 MiB at most';
    this.#log.error({ err, file, effect }, 'audit log cannot be written');
  }

  #tick(): void {
    this.#denials.forgetOld();
    if (this.#waiting.length > 0) this.#flush();
    if (!this.#isDirty || this.#isSyncing) return;
    this.#isDirty = false;
    this.#isSyncing = true;
    this.#place.sync((error) => {
      this.#isSyncing = false;
      if (error !== null) this.#failed(error);
    });
  }
}

function shortened(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
}
