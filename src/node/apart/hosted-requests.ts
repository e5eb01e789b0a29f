/** What the process of a router worker answers to its node, and its sign of life. */
import type { Monitor } from '../../monitor/monitor.js';
import type { MonitorActor } from '../../monitor/source.js';
import type { NodeMetrics, Wish } from '../../metrics/node-metrics.js';
import type { Readiness } from '../../transport/transport-type.js';
import type { Logger } from '../../log/logger.js';
import { written } from '../../worker/apart/counted.js';
import { VISIT } from '../../worker/apart/visit-order.js';
import { takeVisits } from '../../worker/apart/visits.js';
import type { ProcessPulse } from '../../worker/apart/order.js';
import type { VisitOrder } from '../../worker/apart/visit-order.js';
import type { RunningRouter } from '../../worker/worker.js';
import type { ControlArguments, ControlHandlers } from '../control.js';
import type { ServedRealm } from '../session-control.js';

/** The requests of a node that shows what is here with what it has itself (`monitor/elsewhere.ts`). */
export function hostedRequests(
  monitor: Monitor,
  metrics: NodeMetrics,
  { log, routers }: { readonly log: Logger; readonly routers: ReadonlyMap<string, RunningRouter> },
): ControlHandlers {
  return {
    [VISIT]: async (order) => {
      const [router] = routers.values();
      if (router === undefined) throw new TypeError('the worker has not started');
      await takeVisits(order as unknown as VisitOrder, { log, router });
    },
    // Who asks knows that what was said before was heard.
    heard: () => Promise.resolve(),
    counted: async () => written(await metrics.samples()),
    wish: ({ wish }) => Promise.resolve(metrics.wishElsewhere(wish as Wish | undefined)),
    summary: () => monitor.summary(),
    sessions: (request) => monitor.ranked('sessions', request),
    topics: (request) => monitor.ranked('topics', request),
    procedures: (request) => monitor.ranked('procedures', request),
    refusals: (request) => monitor.refusals(request),
    certificates: (request) => monitor.certificates(request),
    endSession: (request) => monitor.endSession(...actionIn(request)),
    logOut: (request) => monitor.logOut(...actionIn(request)),
  };
}

function actionIn({ asked, by }: ControlArguments): [ControlArguments, MonitorActor] {
  return [asked as ControlArguments, by as MonitorActor];
}

/** @returns what such a process tells each second. */
export function ownPulse(served: readonly ServedRealm[], { checks }: Readiness): ProcessPulse {
  const { user, system } = process.cpuUsage();
  return {
    rssBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / 1000,
    sessions: served.reduce((sum, { inventory }) => sum + inventory.sessionCount, 0),
    realms: served.map(({ inventory }) => inventory.realm),
    checks,
  };
}
