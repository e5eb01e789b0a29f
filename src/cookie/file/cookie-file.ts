/**
 * A cookie file as a whole: what is in it, and when it is rewritten. Opening sets damaged lines aside and drops what is no
 * longer needed. Calls must not overlap: the commit queue of `store.ts` sees to that.
 */
import { AppendLog, appendWhole, FileLost } from './append-log.js';
import { forwardLine, liveLine } from './line.js';
import { readCookieFile } from './reader.js';
import { sealed } from './checksum.js';
import { CookieStoreError } from '../error.js';
import type { Logger } from '../../log/logger.js';
import type { LoadedFile } from './reader.js';
import type { FileSystem } from '../../system/files.js';
import type { CookieTable } from './table.js';
import type { CookieRecord } from '../store.js';

/**
 * The file is rewritten when it has more outdated lines than this, and more than {@link DEAD_PER_LIVE} per cookie. So it stays
 * below twice its smallest size, and a thousand cookies are rewritten every 500 changes, which takes milliseconds.
 */
const DEAD_LINES = 500;
const DEAD_PER_LIVE = 0.5;
/** How many more outdated lines there must be after a failed rewrite, so that it is not tried with every batch. */
const DEAD_LINES_AFTER_FAILURE = 10_000;

/** The lock belongs to one name: a second node could have the file open under the other one. */
export const HAS_OTHER_NAMES = 'it has another name (hard link), so two nodes could write to it; give this node a copy';
const LINE_FEED = Buffer.from('\n');
const GROUP_AND_OTHERS = 0o077;

export interface CookieFileOptions {
  readonly filename: string;
  readonly fs: FileSystem;
  readonly log: Logger;
  /** Whether lines are written with a checksum. */
  readonly checksum: boolean;
  /** Which cookies are dropped while opening. */
  readonly isUnwanted: (record: CookieRecord) => boolean;
}

/** An open cookie file and its content. */
export class CookieFile {
  /** What is on the disk. */
  readonly table: CookieTable;
  readonly #filename: string;
  readonly #fs: FileSystem;
  readonly #log: Logger;
  readonly #file: AppendLog;
  readonly #checksum: boolean;
  // good lines in the file, live or outdated
  #lines: number;
  // damaged lines that are still in the file
  #damaged: readonly Buffer[];
  // good lines that should have a checksum and have none
  #unsealed: number;
  // a sync failed: it is unknown what is on the disk
  #isInDoubt = false;
  #deadLinesAllowed = DEAD_LINES;

  private constructor({ filename, fs, log, checksum }: CookieFileOptions, file: AppendLog, loaded: LoadedFile) {
    this.#filename = filename;
    this.#fs = fs;
    this.#log = log;
    this.#checksum = checksum;
    this.#file = file;
    this.table = loaded.table;
    this.#lines = loaded.lines;
    this.#damaged = loaded.damaged;
    this.#unsealed = loaded.unsealed;
  }

  /** Rejects when the file cannot be opened and read, or has several names; damage and a full disk are warnings. */
  static async open(options: CookieFileOptions): Promise<CookieFile> {
    const { filename, fs, log } = options;
    const file = await fs.open(filename);
    try {
      const { mode, size: expectedSize, identity, names } = await file.stat();
      if (names > 1) throw new CookieStoreError(HAS_OTHER_NAMES);
      if ((mode & GROUP_AND_OTHERS) !== 0) log.warn({ filename }, 'cookie file is open to other users: chmod 600');
      const loaded = await readCookieFile(file, { expectedSize, isStrict: options.checksum });
      const { size, unterminated } = loaded;
      const appendLog = new AppendLog({ fs, path: filename, file, identity, size, unterminated });
      const opened = new CookieFile(options, appendLog, loaded);
      await opened.#tidy(options.isUnwanted);
      return opened;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Tidies up. A disk that refuses to write does not stop the start: known browsers are served, new ones are refused until
   * the disk works again, and damaged lines stay where they are until the next start.
   */
  async #tidy(isUnwanted: (record: CookieRecord) => boolean): Promise<void> {
    const unwanted = [...this.table.records.values()].filter(isUnwanted);
    for (const { cbtid } of unwanted) this.table.drop(cbtid);
    const damaged = this.#damaged.length;
    try {
      const isWanted = damaged > 0 || unwanted.length > 0 || this.#unsealed > 0;
      if (isWanted || this.#isWorthRewriting(DEAD_LINES)) await this.#rewrite();
      else await this.#file.settle();
    } catch (err) {
      this.#log.warn({ filename: this.#filename, damaged, err }, 'cookie file could not be tidied up');
    }
  }

  /**
   * Resolves when the file has all lines, and none of an earlier failure; rejects when it has none of them.
   * @param durability `now`: the lines are on the disk; `later`: they are with the next {@link sync}.
   */
  async append(lines: readonly string[], durability: 'now' | 'later'): Promise<void> {
    const text = (this.#checksum ? lines.map(sealed) : lines).join('');
    try {
      await this.#file.append(text, durability);
    } catch (error) {
      if (!(error instanceof FileLost)) throw error;
      await this.#bringBack(error);
      await this.#file.append(text, durability);
    }
    this.#lines += lines.length;
  }

  /** Writes everything that is stored to the old name again. The lost file stays where it is, and is not read. */
  async #bringBack(lost: FileLost): Promise<void> {
    try {
      await this.#rewrite();
    } catch (cause) {
      throw new CookieStoreError(`${lost.message}, and cannot be written anew`, { cause });
    }
    this.#log.warn(
      { filename: this.#filename, cookies: this.table.records.size },
      'cookie file was renamed, deleted or replaced: it is written anew',
    );
  }

  /**
   * Resolves when everything that was appended is on the disk. After a failed sync the system may have dropped what it could
   * not write: then the file is written anew from memory, now or with the next call.
   */
  async sync(): Promise<void> {
    if (!this.#isInDoubt) {
      try {
        await this.#file.sync();
        return;
      } catch (err) {
        this.#isInDoubt = true;
        this.#log.warn({ filename: this.#filename, err }, 'cookie file could not be synced: it is written anew');
      }
    }
    await this.#rewrite();
  }

  /** How many good lines the file has, live or outdated. */
  get lines(): number {
    return this.#lines;
  }

  /** Whether the last rewrite has failed. */
  get isCompactionOwed(): boolean {
    return this.#deadLinesAllowed > DEAD_LINES;
  }

  /** The next chance to compact is taken, however few lines are outdated. */
  wantCompaction(): void {
    this.#deadLinesAllowed = 0;
  }

  /** Rewrites the file when most of it is outdated. A failure is logged and harmless: the old file goes on. */
  async compactIfWorthwhile(): Promise<void> {
    const isWanted = this.#deadLinesAllowed === 0 && this.#deadLines > 0;
    if (!isWanted && !this.#isWorthRewriting(this.#deadLinesAllowed)) return;
    try {
      await this.#rewrite();
      this.#deadLinesAllowed = DEAD_LINES;
    } catch (err) {
      this.#deadLinesAllowed = this.#deadLines + DEAD_LINES_AFTER_FAILURE; // not again with every batch
      this.#log.warn({ filename: this.#filename, err }, 'cookie file could not be compacted');
    }
  }

  get #liveLines(): number {
    return this.table.records.size + this.table.forwards.size;
  }

  get #deadLines(): number {
    return this.#lines - this.#liveLines;
  }

  #isWorthRewriting(deadLinesAllowed: number): boolean {
    return this.#deadLines > deadLinesAllowed && this.#deadLines > DEAD_PER_LIVE * this.#liveLines;
  }

  async #rewrite(): Promise<void> {
    if (this.#damaged.length > 0) await this.#setAside(this.#damaged);
    this.#damaged = [];
    this.table.dropLostForwards();
    await this.#file.replace(this.#checksum ? seal(linesOf(this.table)) : linesOf(this.table));
    this.#lines = this.#liveLines;
    this.#unsealed = 0;
    this.#isInDoubt = false;
    this.table.forgetDeleted();
  }

  async #setAside(damaged: readonly Buffer[]): Promise<void> {
    const sideFile = `${this.#filename}.damaged`;
    const file = await this.#fs.open(sideFile);
    try {
      await appendWhole(file, Buffer.concat(damaged.flatMap((line) => [line, LINE_FEED])));
      await file.datasync();
    } finally {
      await file.close();
    }
    this.#log.warn(
      { filename: this.#filename, damaged: damaged.length, sideFile },
      'damaged lines of the cookie file set aside',
    );
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function* linesOf({ records, forwards }: CookieTable): Generator<string> {
  for (const record of records.values()) yield liveLine(record);
  for (const forward of forwards.values()) yield forwardLine(forward);
}

function* seal(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield sealed(line);
}
