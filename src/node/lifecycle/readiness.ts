/**
 * Whether clients can come to a node. One answer for all who ask: the path services `readyz` and `health`, and `crossbar-ts status`.
 *
 *     starting: not all transports listen, or not all components have joined -> ready -> stopping, from the first moment of it
 *
 * A node that has lost its cluster is not ready: it serves no client of the realms that take part, and another one can.
 * A node whose cookie stores fail is not ready where no client gets in without a new cookie. Load, other nodes and what goes wrong for
 * some clients only do not count: a load balancer that takes a node away for that makes it worse for the others.
 */
import type { Readiness } from '../../transport/transport-type.js';

/** What the answer goes by. */
export interface NodeCondition {
  /** All transports listen, and all components have joined. */
  readonly hasStarted: boolean;
  /** The end has begun, be it that its first step is to wait. */
  readonly isStopping: boolean;
  /** Nobody new gets in, because no cookie can be stored. */
  readonly lacksCookies: boolean;
  /** Of a node in a cluster: whether it may serve, `ok` or why not. */
  readonly cluster?: string | undefined;
  /** What is wrong with processes of router workers; undefined when nothing is. */
  readonly processes?: string | undefined;
}

/** The word of a check that has nothing to tell. */
const OK = 'ok';

/** @returns the checks by their names, and whether none of them has found anything. */
export function readinessOf({ hasStarted, isStopping, lacksCookies, cluster, processes }: NodeCondition): Readiness {
  const checks = {
    start: hasStarted ? OK : 'transports and components are starting',
    stop: isStopping ? 'the node is stopping' : OK,
    cookies: lacksCookies ? 'no new cookie can be stored' : OK,
    ...(cluster !== undefined && { cluster }),
    ...(processes !== undefined && { processes }),
  };
  return { isReady: Object.values(checks).every((found) => found === OK), checks };
}
