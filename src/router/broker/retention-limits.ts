/** How much a realm retains by default. In a file of its own, because the schema of a realm needs these numbers, and nothing else. */

/** Bounds of what a realm keeps. */
export interface RetentionLimits {
  readonly events: number;
  readonly bytes: number;
}

/** 64 MiB and 10,000 events: enough for the state of a large site, too little to hurt the process. */
export const RETENTION_LIMITS: RetentionLimits = { events: 10_000, bytes: 67_108_864 };
