/** The audit log of a node: opened before anything starts, closed last, and opened anew with the log (`signals.ts`). */
import path from 'node:path';

import type { AuditLog } from '../../audit/audit-log.js';
import type { AuditConfig } from '../../audit/schema.js';
import type { Logger } from '../../log/logger.js';
import { messageOf } from '../../system/error.js';
import { NodeError } from '../error.js';
import type { TakenDirectory } from '../directory.js';

/** The audit log of a running node. */
export type OpenAudit = Pick<AuditLog, 'record' | 'close'>;

/** Those of all nodes of this process: a signal is for all. */
const open = new Set<AuditLog>();

/**
 * Opens the audit log that a config names, and writes that the config was loaded.
 * @throws NodeError `ERR_NODE_START` when it cannot be opened; then the directory is given back.
 */
export async function openAudit(
  config: AuditConfig,
  { loaded, cbdir, pidFile }: TakenDirectory,
  log: Logger,
): Promise<OpenAudit> {
  // Most nodes have none.
  const { AuditLog } = await import('../../audit/audit-log.js');
  const file = path.resolve(cbdir, config.file);
  try {
    const audit = new AuditLog({ ...config, file }, log);
    open.add(audit);
    audit.record({ event: 'config loaded', about: { config: loaded.file, cbdir } });
    return {
      record: (entry) => audit.record(entry),
      close: () => {
        if (open.delete(audit)) audit.close();
      },
    };
  } catch (cause) {
    await pidFile?.release();
    const text = `the audit log ${file} cannot be opened: ${messageOf(cause)}`;
    throw new NodeError('ERR_NODE_START', text, { cause });
  }
}

/** Goes on in files of the same names. @returns how many there are. */
export function reopenAudits(): number {
  for (const audit of open) audit.reopen();
  return open.size;
}
