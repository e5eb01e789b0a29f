/** The audit log of a node: opened before anything starts, closed last, and opened anew with the log (`signals.ts`). */
import path from 'node:path';

import type { AuditLog } from '../../audit/audit-log.js';
import type { AuditPlace } from '../../audit/place.js';
import type { AuditConfig } from '../../audit/schema.js';
import type { Logger } from '../../log/logger.js';
import { messageOf } from '../../system/error.js';
import { isFile } from '../../system/line-file.js';
import { NodeError } from '../error.js';
import type { TakenDirectory } from '../directory.js';

/** How lines of it begin where those of the log are, too. */
const STDOUT_MARK = { log: 'audit' };
const STDOUT = 'standard output';

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
  const file = config.file === undefined ? undefined : path.resolve(cbdir, config.file);
  try {
    const audit = new AuditLog(config, await placeOf(file), log, file === undefined ? STDOUT_MARK : {});
    open.add(audit);
    audit.record({ event: 'config loaded', about: { config: loaded.file, cbdir } });
    return {
      record: (entry) => audit.record(entry),
      close: async () => {
        if (open.delete(audit)) await audit.close();
      },
    };
  } catch (cause) {
    await pidFile?.release();
    const text = `the audit log ${String(file)} cannot be opened: ${messageOf(cause)}`;
    throw new NodeError('ERR_NODE_START', text, { cause });
  }
}

/** @param file undefined for standard output. @throws (rejects) the error of the system when it cannot be opened. */
async function placeOf(file: string | undefined): Promise<AuditPlace> {
  if (file !== undefined) {
    const { FilePlace } = await import('../../audit/file-place.js');
    return new FilePlace(file);
  }
  if (isFile(process.stdout)) {
    const { FilePlace } = await import('../../audit/file-place.js');
    return new FilePlace(STDOUT, process.stdout.fd);
  }
  const { StreamPlace } = await import('../../audit/stream-place.js');
  return new StreamPlace(process.stdout, STDOUT);
}

/** Goes on in files of the same names. @returns how many there are. */
export function reopenAudits(): number {
  for (const audit of open) audit.reopen();
  return open.size;
}
