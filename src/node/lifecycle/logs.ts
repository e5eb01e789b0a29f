/** The log of a node, with its audit log where the config has one; the first that is told is what was found in the config. */
import { withAudit } from '../../log/audit.js';
import type { Logger } from '../../log/logger.js';
import { openAudit } from '../audit/open-audit.js';
import type { OpenAudit } from '../audit/open-audit.js';
import type { TakenDirectory } from '../directory.js';
import { ConfiguredLevel } from './log-level.js';

/** Where the node writes. */
export interface OpenLogs {
  readonly log: Logger;
  readonly audit: OpenAudit | undefined;
  /** How much. */
  readonly level: ConfiguredLevel;
}

/** @throws NodeError (rejects) when the audit log cannot be opened: the directory is given back then. */
export async function openLogs(directory: TakenDirectory, plain: Logger, isLevelOurs: boolean): Promise<OpenLogs> {
  const { config, warnings, notes } = directory.loaded;
  const { options } = config.controller;
  const level = new ConfiguredLevel(plain, isLevelOurs);
  level.take(options);
  const { audit: section } = options;
  const audit = section === undefined ? undefined : await openAudit(section, directory, plain);
  const log = audit === undefined ? plain : withAudit(plain, audit);
  for (const { file, line, column, pointer, text } of warnings) {
    log.warn({ file, line, column, pointer, problem: text }, 'config warning');
  }
  for (const { file, line, column, pointer, text } of notes) {
    log.info({ file, line, column, pointer, note: text }, 'config note');
  }
  return { log, audit, level };
}
