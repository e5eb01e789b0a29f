/**
 * `crossbar-ts reload`: a running node reads its config again.
 */
import { reloadNode } from '../node/commands.js';
import type { ReloadReport } from '../node/reload/report.js';
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

function tell({ ok, problems, warnings, changes, pending, revoked, removed }: ReloadReport): void {
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
    changes.length + pending.length === 0 ? 'reloaded: nothing is new' : 'reloaded',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
