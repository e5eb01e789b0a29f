/**
 * What a router worker in a process of its own (`options.process`) cannot have: what another process holds, and what only the process of the
 * node knows. All else it has as any router worker.
 */
import type { Place } from '../../schema/rules.js';
import type { Cursor } from '../cursor.js';
import type { NodePlaces, WorkerPlaces } from '../places.js';
import type { CheckRulesContext } from './context.js';

/** Checks the option `process` of all workers. */
export function checkProcesses({ node, workers }: NodePlaces, context: CheckRulesContext): void {
  const apart = workers.filter(({ worker, front }) => front === undefined && isApart(worker));
  for (const places of apart) {
    checkAudit(node, places.worker, context);
    checkRealms(places, context);
    for (const transport of places.transports) checkEndpoint(transport.get('endpoint'), context);
  }
}

function isApart(worker: Place): boolean {
  return worker.at('options', 'process').value === true;
}

function checkAudit(node: Cursor, worker: Cursor, { report }: CheckRulesContext): void {
  if (node.at('controller', 'options', 'audit').missing) return;
  report(
    worker.at('options', 'process').path,
    'found true beside "audit" of "controller.options", whose file one process writes (allowed: false, or no "audit")',
  );
}

function checkRealms({ realms }: WorkerPlaces, { report }: CheckRulesContext): void {
  for (const realm of realms) {
    const cluster = realm.get('cluster');
    if (cluster.value === true)
      report(
        cluster.path,
        'found true in a worker with "process", but the node has one link to its cluster (allowed: false, or a worker without "process")',
      );
  }
}

function checkEndpoint(endpoint: Cursor, { report }: CheckRulesContext): void {
  const [type, shared] = [endpoint.get('type'), endpoint.get('shared')];
  if (type.value === 'systemd')
    report(
      type.path,
      'found "systemd" in a worker with "process", but systemd gives its sockets to the process of the node (allowed: "tcp" or "unix")',
    );
  if (shared.value === true)
    report(
      shared.path,
      'found true in a worker with "process", but no other worker can listen there (allowed: a port of its own)',
    );
}
