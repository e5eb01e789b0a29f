/** The audit log of a node (`controller.options.audit`). */
import { checkAudit } from './rules.js';
import type { Checked, ConfigSchema } from '../schema/dialect.js';

/** What may be asked for. All are an `AuditEvent` of `log/audit.ts`. */
const AUDIT_WORDS = [
  ...['node started', 'node stopped', 'config loaded', 'login', 'logout', 'session killed', 'permission denied'],
  ...['cookie revoked', 'cookie rotated', 'certificate changed', 'config reloaded', 'control'],
] as const;

export const auditSchema = {
  type: 'object',
  section: 'Audit log',
  standsAt: 'controller.options.audit',
  absent: 'none',
  description:
    'Says who did what, in a file or on standard output: log-ins, logouts, what was denied, and what the operator did. An addition to the keys of Crossbar.io.',
  rules: checkAudit,
  additionalProperties: false,
  properties: {
    file: {
      type: 'string',
      is: 'file',
      state: true,
      minLength: 1,
      absent: 'none',
      description:
        'Lines of JSON are appended to it, and get to the disk within a second. Relative to the node directory, or to the state directory if there is one (`--statedir`). `SIGUSR1` opens it anew, for programs that rotate logs.',
    },
    stdout: {
      type: 'boolean',
      default: false,
      description:
        'In place of a file: the lines go to standard output, beside the log, and begin with `{"log":"audit"`. It may have to wait for whoever reads it: then it cannot be written.',
    },
    events: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: AUDIT_WORDS, description: 'A kind of event.' },
      absent: 'all',
      description: 'What is written.',
    },
    required: {
      type: 'boolean',
      default: false,
      description:
        'Nobody can log in while it cannot be written. By default the log says once that it cannot, up to 1 MiB waits, and what is beyond that is counted.',
    },
  },
} as const satisfies ConfigSchema;

/** A checked `audit` section. */
export type AuditConfig = Checked<typeof auditSchema>;
