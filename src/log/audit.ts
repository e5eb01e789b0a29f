/**
 * What is worth an entry in the audit log, and how the parts of a node reach it: it goes where the logger goes, and children of a logger
 * have it, too. Where none is configured a look-up is all that it costs. The file is in `src/audit/`.
 */
import type { Logger } from './logger.js';

/** The words of `events` in the config, and one for what a full disk has taken away. */
export type AuditEvent =
  | 'node started'
  | 'node stopped'
  | 'config loaded'
  | 'login'
  | 'logout'
  | 'session killed'
  | 'permission denied'
  | 'cookie revoked'
  | 'cookie rotated'
  | 'certificate changed'
  | 'config reloaded'
  | 'control'
  | 'entries lost';

/** An entry as far as the time. Never a ticket, a signature, a payload, or the id of a cookie. */
export interface AuditRecord {
  readonly event: AuditEvent;
  readonly outcome?: 'ok' | 'denied' | 'limited' | 'failed' | undefined;
  readonly reason?: string | undefined;
  readonly realm?: string | undefined;
  readonly session?: number | undefined;
  readonly authid?: string | undefined;
  readonly role?: string | undefined;
  readonly method?: string | undefined;
  readonly provider?: string | undefined;
  /** The digest of a cookie (`cookie/digest.ts`). */
  readonly cookie?: string | undefined;
  readonly peer?: string | undefined;
  /** The trusted proxy that the peer came by. */
  readonly via?: string | undefined;
  readonly transport?: string | undefined;
  /** Of the URL, for requests of HTTP. */
  readonly path?: string | undefined;
  /** Who wanted it. */
  readonly actor?: string | undefined;
  readonly trace?: string | undefined;
  /** What the event is about, beside those that have a key of their own. */
  readonly about?: Readonly<Record<string, unknown>> | undefined;
}

/** Takes entries. Never throws. */
export interface Audit {
  /** @returns false where the entry is `required`, and could not be written: then what it tells of must not happen. */
  record(entry: AuditRecord): boolean;
}

const AUDIT = Symbol('audit');

/** @returns a child of a logger that has this audit log. */
export function withAudit(log: Logger, audit: Audit): Logger {
  // pino makes children by the prototype of their parent.
  return Object.assign(log.child({}), { [AUDIT]: audit });
}

/** @returns the audit log of the node; undefined where it has none. */
export function auditOf(log: Logger): Audit | undefined {
  return (log as { readonly [AUDIT]?: Audit })[AUDIT];
}
