/** What is checked of the section `audit` beyond what the schema can say. */
import type { Rules } from '../schema/rules.js';

/** Rule of the section: it has one place. */
export const checkAudit: Rules = (audit, { report }) => {
  const [file, isOnStdout] = [audit.get('file'), audit.get('stdout').value === true];
  if (file.missing && !isOnStdout) report(audit.path, 'found without a place (allowed: "file", or "stdout": true)');
  if (!file.missing && isOnStdout) report(audit.get('stdout').path, 'found beside "file" (allowed: one of them)');
};
