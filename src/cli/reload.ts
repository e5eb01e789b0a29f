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
  readonly restartComponents?: boolean;
}

/**
 * Exit codes: 0 reloaded; 1 the config is wrong and nothing has changed, or a component cannot run and all of them are as before; 69 no
 * node runs. @throws NodeError
 */
export async function reload({ json = false, restartComponents = false, ...options }: ReloadOptions): Promise<void> {
  const place = placeOf(options);
  const report = await reloadNode(place, { restartComponents });
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

/** An older node does not say. */
function componentLines({ started, stopped }: Partial<ReloadReport['components']> = {}): string[] {
  const count = started?.length ?? 0;
  return [
    ...(started ?? []).map((id) => `component ${id}: started`),
    ...(stopped ?? []).map((id) => `component ${id}: stopped`),
    ...(count > 0 ? ['modules are those that the node had loaded: a file that has changed takes a restart'] : []),
  ];
}

function changeLines({ changes, pending, onDemand = [] }: Partial<ReloadReport> & Changed): string[] {
  return [
    ...changes.map(({ pointer, how }) => `${pointer}: ${how === 'on demand' ? 'with its component' : how}`),
    ...pending.map((pointer) => {
      return `${pointer}: after a restart${onDemand.includes(pointer) ? ', or with --restart-components' : ''}`;
    }),
  ];
}

type Changed = Pick<ReloadReport, 'changes' | 'pending'>;

function tell(report: ReloadReport): void {
  const { ok, problems, warnings, changes, pending, revoked, removed, outdated, components } = report;
  for (const problem of [...problems, ...warnings.map((warning) => `warning: ${warning}`)]) {
    process.stderr.write(`${problem}\n`);
  }
  if (!ok && !report.componentsFailed) {
    process.stderr.write('nothing has changed\n');
    return;
  }
  const lines = [
    ...changeLines(report),
    ...componentLines(components),
    ...(revoked > 0
      ? [`revoked, because the new rules forbid them: ${revoked} of subscriptions and registrations`]
      : []),
    ...(removed > 0 ? [`removed, with all sessions in it: ${removed} of realms and roles`] : []),
    ...outdatedLines(outdated),
    changes.length + pending.length === 0 ? 'reloaded: nothing is new' : 'reloaded',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (!ok) process.stderr.write('a component cannot run: the components are as before, all else is reloaded\n');
}
