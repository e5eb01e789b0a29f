/**
 * What the process may have, told to those who share it out: connections by the limit of open files, memory for what waits to
 * be sent by the limit of the heap. Several nodes in one process share both; what the last one is configured with counts.
 */
import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

import type { Logger } from '../log/logger.js';
import { openConnections } from '../transport/open-connections.js';
import { receivedMemory } from '../transport/received-memory.js';
import { unsentMemory } from '../transport/outbox/unsent-memory.js';

const MAX_UNSENT_BYTES = 256 * 1024 * 1024;

/** For what the process has open itself: its event loop, output, listening sockets, stores. */
const KEPT_DESCRIPTORS = 48;
/** One of so many is kept for files that are served, and no more than so many. */
const FILES_SHARE = 16;
const MAX_FILES = 1024;

/** The keys of `controller.options`. */
export interface ProcessLimits {
  readonly max_connections?: number;
  readonly max_unsent_bytes?: number;
}

/** Sets the limits of the process. */
export function limitProcess(options: ProcessLimits, log: Logger): void {
  const descriptors = descriptorLimit();
  openConnections.limit = Math.min(options.max_connections ?? Infinity, connectionsWithin(descriptors));
  unsentMemory.limitBytes = options.max_unsent_bytes ?? unsentWithin(getHeapStatistics().heap_size_limit);
  receivedMemory.limitBytes = unsentWithin(getHeapStatistics().heap_size_limit);
  log.debug(
    { descriptors, maxConnections: openConnections.limit, maxUnsentBytes: unsentMemory.limitBytes },
    'limits of the process',
  );
}

/** @param descriptors how many the process may have. @returns how many of them are for connections. */
export function connectionsWithin(descriptors: number): number {
  if (descriptors === Infinity) return Infinity;
  const files = Math.min(MAX_FILES, Math.floor(descriptors / FILES_SHARE));
  return Math.max(1, descriptors - KEPT_DESCRIPTORS - files);
}

/** @returns how many bytes may wait to be sent, or come in for large messages, where the heap may have so many. */
export function unsentWithin(heapBytes: number): number {
  return Math.min(MAX_UNSENT_BYTES, Math.floor(heapBytes / 4));
}

/** @returns the limit of open files of this process; Infinity where there is none, or it is not known. */
function descriptorLimit(): number {
  try {
    return descriptorsIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Not Linux: then the system tells nobody who does not ask in C.
    return Infinity;
  }
}

/** @param limits what `/proc/self/limits` says. */
export function descriptorsIn(limits: string): number {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  return soft === undefined ? Infinity : Number(soft);
}
