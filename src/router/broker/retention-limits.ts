/**
 * How much a realm retains: apart from the events themselves, because the schema of a realm names these numbers.
 */

/** Bounds of what a realm keeps. */
export interface RetentionLimits {
  readonly events: number;
  readonly bytes: number;
}

/** 64 MiB and 10,000 events: enough for the state of a large site, too little to hurt the process. */
export const RETENTION_LIMITS: RetentionLimits = { events: 10_000, bytes: 67_108_864 };
