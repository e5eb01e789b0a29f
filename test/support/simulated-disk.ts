/**
 * A file system in memory that knows what has reached the disk and what has not. Any single call can be made to fail,
 * to write a part only, or to be the last one before the power goes off; after that only what was synced is certain
 * to be there. It also counts calls.
 */
import type { FileStatus, FileSystem, OpenFile } from '../../src/system/files.js';
import type { ProcessTable } from '../../src/system/processes.js';

/**
 * - `error`: the call does nothing and fails;
 * - `late error`: a write or sync does its work and fails nevertheless (others as `error`);
 * - `short`: a write takes half of the bytes and says so (others as `error`);
 * - `power off`: a write takes half of the bytes; the call fails and so does every later one.
 */
export type Fault = 'error' | 'late error' | 'short' | 'power off';

type Operation = 'open' | 'read' | 'append' | 'truncate' | 'datasync' | 'close' | 'stat' | 'name' | 'syncDirectory';

interface Inode {
  readonly number: number;
  bytes: Buffer;
  /** What a power cut leaves for certain. */
  durable: Buffer;
}

type Names = Map<string, Inode>;

export class SimulatedDisk implements FileSystem {
  readonly counts: Record<Operation, number> = {
    open: 0,
    read: 0,
    append: 0,
    truncate: 0,
    datasync: 0,
    close: 0,
    stat: 0,
    name: 0,
    syncDirectory: 0,
  };
  /** How many calls were made so far. */
  calls = 0;
  /** The files that find no room: every append takes nothing. */
  isFullFor: (file: string) => boolean = () => false;
  /** As long as it is set, every call fails and does nothing. */
  isBroken = false;
  #names: Names = new Map();
  #durableNames: Names = new Map();
  // what was done to the directory since it was synced
  #unsyncedNaming: ((names: Names) => void)[] = [];
  #fault: { readonly call: number; readonly kind: Fault } | undefined;
  #isOff = false;
  #inodes = 0;

  /** Lets the call of that number (counted from now, from 1) fail. */
  failAt(call: number, kind: Fault): void {
    this.#fault = { call: this.calls + call, kind };
  }

  /** Puts a file there, durably. */
  put(file: string, content: string | Buffer): void {
    const inode = { number: this.#nextInode(), bytes: Buffer.from(content), durable: Buffer.from(content) };
    this.#names.set(file, inode);
    this.#durableNames.set(file, inode);
  }

  content(file: string): string | undefined {
    return this.#names.get(file)?.bytes.toString('latin1');
  }

  files(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** The process died: what it wrote stays. Faults are over. */
  restart(): void {
    this.#isOff = false;
    this.#fault = undefined;
  }

  /** The power failed: of what was not synced, `random` decides how much is left. */
  powerCut(random: () => number): void {
    const kept = this.#unsyncedNaming.slice(0, Math.floor(random() * (this.#unsyncedNaming.length + 1)));
    for (const change of kept) change(this.#durableNames);
    this.#unsyncedNaming = [];
    this.#names = new Map(this.#durableNames);
    for (const inode of this.#names.values()) {
      if (random() < 0.5) continue; // the cache had been written back by chance
      const extra = inode.bytes.subarray(inode.durable.length);
      const left = extra.subarray(0, Math.floor(random() * (extra.length + 1)));
      inode.bytes = Buffer.concat([inode.durable, left]);
    }
    for (const inode of this.#names.values()) inode.durable = inode.bytes;
    this.restart();
  }

  open(file: string, mustBeNew?: 'must be new'): Promise<OpenFile> {
    return this.#call('open', () => {
      let inode = this.#names.get(file);
      if (inode !== undefined && mustBeNew !== undefined) throw systemError('EEXIST');
      if (inode === undefined) {
        inode = { number: this.#nextInode(), bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
        const made = inode;
        this.#rename((names) => void names.set(file, made));
      }
      return this.#openFile(file, inode);
    });
  }

  statIfPresent(file: string): Promise<FileStatus | undefined> {
    return this.#call('name', () => {
      const inode = this.#names.get(file);
      return inode === undefined ? undefined : this.#statusOf(inode);
    });
  }

  readText(file: string): Promise<string> {
    return this.#call('name', () => this.#existing(file).bytes.toString('utf8'));
  }

  realpath(file: string): Promise<string> {
    return this.#call('name', () => {
      if (file !== '/' && !this.#names.has(file)) throw systemError('ENOENT');
      return file;
    });
  }

  link(existing: string, name: string): Promise<void> {
    return this.#call('name', () => {
      const inode = this.#existing(existing);
      if (this.#names.has(name)) throw systemError('EEXIST');
      this.#rename((names) => void names.set(name, inode));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('name', () => {
      const inode = this.#existing(from);
      this.#rename((names) => {
        names.delete(from);
        names.set(to, inode);
      });
    });
  }

  unlink(file: string): Promise<void> {
    return this.#call('name', () => {
      this.#existing(file);
      this.#rename((names) => void names.delete(file));
    });
  }

  syncDirectory(): Promise<void> {
    return this.#call('syncDirectory', () => {
      this.#durableNames = new Map(this.#names);
      this.#unsyncedNaming = [];
    });
  }

  #openFile(file: string, inode: Inode): OpenFile {
    return {
      stat: () => this.#call('stat', () => this.#statusOf(inode)),
      read: (into, position) =>
        this.#call('read', () => inode.bytes.copy(into, 0, position, Math.min(inode.bytes.length, position + 65536))),
      append: (bytes) =>
        this.#call('append', (share) => {
          const taken = bytes.subarray(0, this.isFullFor(file) ? 0 : Math.floor(bytes.length * share));
          inode.bytes = Buffer.concat([inode.bytes, taken]);
          return taken.length;
        }),
      truncate: (size) =>
        this.#call('truncate', () => {
          inode.bytes = inode.bytes.subarray(0, size);
        }),
      datasync: () =>
        this.#call('datasync', () => {
          inode.durable = inode.bytes;
        }),
      close: () => this.#call('close', () => undefined),
    };
  }

  #nextInode(): number {
    this.#inodes += 1;
    return this.#inodes;
  }

  #statusOf(inode: Inode): FileStatus {
    const names = [...this.#names.values()].filter((other) => other === inode).length;
    return { size: inode.bytes.length, mode: 0o100600, identity: String(inode.number), names };
  }

  #existing(file: string): Inode {
    const inode = this.#names.get(file);
    if (inode === undefined) throw systemError('ENOENT');
    return inode;
  }

  #rename(change: (names: Names) => void): void {
    change(this.#names);
    this.#unsyncedNaming.push(change);
  }

  /** @param work takes the share of its bytes that a write may take. */
  async #call<T>(operation: Operation, work: (share: number) => T): Promise<T> {
    this.calls += 1;
    this.counts[operation] += 1;
    const fault = this.calls === this.#fault?.call ? this.#fault.kind : undefined;
    await new Promise((resolve) => setImmediate(resolve)); // like a real disk, answer in a later turn
    if (this.#isOff || this.isBroken) throw systemError('EIO');
    if (fault === undefined) return work(1);
    if (fault === 'short' && operation === 'append') return work(0.5);
    if (fault === 'late error' && (operation === 'append' || operation === 'datasync')) work(1);
    if (fault === 'power off') {
      this.#isOff = true;
      if (operation === 'append') work(0.5);
    }
    throw systemError('EIO');
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** Processes that live and die as the test says. */
export class SimulatedProcesses {
  #last = 0;
  readonly #alive = new Set<number>();

  /** @returns the system as a new process sees it. */
  start(): ProcessTable {
    this.#last += 1;
    const self = { pid: this.#last, started: `start ${this.#last}` };
    this.#alive.add(self.pid);
    return {
      self: () => Promise.resolve(self),
      isRunning: ({ pid, started }) => Promise.resolve(this.#alive.has(pid) && started === `start ${pid}`),
    };
  }

  killAll(): void {
    this.#alive.clear();
  }
}
