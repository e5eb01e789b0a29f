/**
 * Clients of fronts whose realm is with this process: the fronts of another worker come here by a link of their own, beside the one to the
 * process of the node, which has let these clients in (`front/router-link.ts`).
 */
import { rm } from 'node:fs/promises';
import { Congestion } from '../../front/congestion.js';
import { FrontLink } from '../../front/front-link.js';
import type { FrontLinkDeps } from '../../front/front-link.js';
import { LinkListener } from '../../front/link-listener.js';
import { Kind } from '../../front/records.js';
import { pulseIn } from '../proxy/front-shapes.js';
import { offersOf } from '../proxy/offers.js';
import type { Socket } from 'node:net';
import type { Logger } from '../../log/logger.js';
import type { Place } from '../../transport/apart/apart.js';
import type { RunningRouter } from '../worker.js';
import type { VisitOrder } from './visit-order.js';

/** How much may wait for one front before it is given up. */
const MAX_UNSENT_BYTES = 256 * 1024 * 1024;

/**
 * Fronts may come from now on, until the process ends.
 *
 * @throws WorkerError (rejects) when a transport cannot start; the error of the system where nobody can connect.
 */
export async function takeVisits(
  { worker, routes, link, transports }: VisitOrder,
  { log, router }: { readonly log: Logger; readonly router: Pick<RunningRouter, 'takeOver'> },
): Promise<void> {
  const places = new Map<string, Place>();
  const congestion = new Congestion();
  for (const [at, { pointer, config }] of transports.entries()) {
    await router.takeOver(config, { worker, pointer, routes, behindFronts: offersOf(config, at, places) });
  }
  // Of the process before this one.
  await rm(link, { force: true });
  await new LinkListener((socket) => acceptFront(socket, { places, congestion, log }), log).start(link);
}

function acceptFront(socket: Socket, deps: Pick<FrontLinkDeps, 'places' | 'congestion' | 'log'>): void {
  const link: FrontLink = new FrontLink(socket, {
    ...{ ...deps, takesVisitors: true, maxUnsentBytes: MAX_UNSENT_BYTES },
    onControl: (kind, content) => {
      if (kind === Kind.ALIVE) link.waits(pulseIn(content).waiting);
    },
    gone: (why) => {
      if (why !== undefined) deps.log.error({ reason: why }, 'front is gone');
    },
  });
}
