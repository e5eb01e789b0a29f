/**
 * Who has a lock: what stands in its file, and whether that process is alive. The beacon decides where the file names one;
 * otherwise (an older version, a directory that takes no sockets) the process table of this machine or container does.
 */
import type { Beacons } from './beacon.js';
import { isBeaconName } from './beacon.js';
import type { ProcessName, ProcessTable } from './processes.js';

/** Who has a lock. */
export interface Holder extends ProcessName {
  /** Of the file beside the lock. */
  readonly beacon?: string;
}

export interface HolderDeps {
  readonly processes: ProcessTable;
  /** Without them pids are all there is. */
  readonly beacons?: Beacons | undefined;
}

/** @returns undefined when the text names no process: a power cut can leave an empty file. */
export function parseHolder(text: string): Holder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('pid' in value)) return undefined;
  const { pid } = value;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined;
  const started = 'started' in value && typeof value.started === 'string' ? value.started : null;
  const beacon = 'beacon' in value && isBeaconName(value.beacon) ? { beacon: value.beacon } : {};
  return { pid, started, ...beacon };
}

/** @returns whether the beacon of a holder is lit; undefined when there is none to ask. */
export async function isLit(holder: Holder, directory: string, deps: HolderDeps): Promise<boolean | undefined> {
  return holder.beacon === undefined ? undefined : deps.beacons?.isLit(directory, holder.beacon);
}

/** For messages: a pid, and whose it is when it is none of this process table. */
export async function describeHolder(holder: Holder, { processes }: HolderDeps): Promise<string> {
  return `${holder.pid}${(await processes.isRunning(holder)) ? '' : ' of another container'}`;
}
