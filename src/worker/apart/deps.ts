/** What the node has for router workers in processes of their own. Data, and nothing of a worker: `worker.ts` refers to it. */
import type { Readiness } from '../../transport/transport-type.js';
import type { CookieConfig } from '../../cookie/schema.js';
import type { ProcessOfRouter } from './processes.js';

/** What of a node counts for a worker in another process. */
export interface NodePart {
  /** `controller` of the checked config. */
  readonly controller: object;
  /** Whether no client of the node gets in without a cookie. */
  readonly needsCookies: boolean;
}

/** What the node has for workers in processes of their own. */
export interface ApartDeps {
  readonly node: NodePart;
  /** Where the processes are known. */
  readonly processes: {
    add(one: ProcessOfRouter): void;
    of(worker: string): Pick<ProcessOfRouter, 'takeVisits'> | undefined;
  };
  /** @returns what a process may tell of the node now. @param worker whose process it is */
  told(worker: string): NodeTold;
  /** Opens the stores of `cookie` sections, and lends them to processes. @throws CookieStoreError (rejects) when one cannot be opened. */
  lend(sections: readonly CookieConfig[]): Promise<LentStores>;
  /** How long the end of the process may take, in milliseconds. */
  readonly longestEndMs: number;
}

/** How a process finds the stores. */
export interface LentStores {
  /** The socket file. */
  readonly socket: string;
  /** @returns a copy of a config in which each section says by which key its store is lent. */
  marked<T>(config: T): T;
}

/** What the node says of itself, now and then. */
export interface NodeTold {
  /** Of all but the process that is told. */
  readonly readiness: Readiness;
  /** The end of the node is near, or has begun. */
  readonly isStopping: boolean;
  /** Sessions that are elsewhere. */
  readonly sessions: number;
  readonly pid: number;
  readonly startedMs: number;
  readonly workers: readonly { readonly worker: string; readonly type: string }[];
}
