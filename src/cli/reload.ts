/**
 * `crossbar-ts reload`: a running node reads its config again.
 */
import { reloadNode } from '../node/commands.js';
import type { OutdatedSessions, ReloadReport } from '../node/reload/report.js';
import { EX_UNAVAILABLE } from './exit-codes.js';
import { placeOf } from './place.js';
import type { PlaceOptions } from './place.js';

export interface ReloadOptions extends PlaceOptions {
  readonly json?: boolean;
}

/** Exit codes: 0 reloaded, 1 the config is wrong and nothing has changed, 69 no node runs. @throws NodeError */
export async function reload({ json = false, ...options }: ReloadOptions): Promise<void> {
  const place = placeOf(options);
  const report = await reloadNode(place);
  if (report === undefined) {
    process.stderr.write(`crossbar-ts: no node runs on ${place.rundir ?? place.cbdir}\n`);
    process.exitCode = EX_UNAVAILABLE;
    return;
  }
  if (!report.ok) process.exitCode = 1;
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else tell(report);
}

/** An older node does not say. */
function outdatedLines(outdated: OutdatedSessions | undefined): string[] {
  if (outdated === undefined || outdated.count === 0) return [];
  const { count, killed, sessions } = outdated;
  const became = killed > 0 ? `${killed} were ended` : 'they go on (`reload: {"kick": true}` ends them)';
  return [
    `sessions that the config does not let in any more: ${count}, ${became}`,
    ...sessions.map((one) => `  ${one.authid} as ${one.role} in ${one.realm}, session ${one.session}: ${one.why}`),
    ...(count > sessions.length ? [`  and ${count - sessions.length} more`] : []),
  ];
}

function tell({ ok, problems, warnings, changes, pending, revoked, removed, outdated }: ReloadReport): void {
  for (const problem of [...problems, ...warnings.map((warning) => `warning: ${warning}`)]) {
    process.stderr.write(`${problem}\n`);
  }
  if (!ok) {
    process.stderr.write('nothing has changed\n');
    return;
  }
  const lines = [
    ...changes.map(({ pointer, how }) => `${pointer}: ${how}`),
    ...pending.map((pointer) => `${pointer}: after a restart`),
    ...(revoked > 0
      ? [`revoked, because the new rules forbid them: ${revoked} of subscriptions and registrations`]
      : []),
    ...(removed > 0 ? [`removed, with all sessions in it: ${removed} of realms and roles`] : []),
    ...outdatedLines(outdated),
    changes.length + pending.length === 0 ? 'reloaded: nothing is new' : 'reloaded',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
