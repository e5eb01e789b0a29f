/**
 * The small process between a node and its fronts. It has the listening sockets, so that they stay while fronts come and go, and accepts
 * nothing itself: the system wakes the front that is free. It starts a front again that has ended. Asked to end (SIGTERM, which goes to its
 * fronts as well) it waits for them. When the node is gone it ends, and its fronts with it.
 */
import cluster from 'node:cluster';
import { BackOff } from '../system/process/back-off.js';

/** A front that dies has clients which come back at once: it is there again soon, at first. */
const TIMES = { firstMs: 50, maxMs: 10_000, aliveMs: 10_000 };

/** What a front is told: it stands in its environment under this name. */
export const FRONT_ORDER = 'CROSSBAR_TS_FRONT';

export interface FrontOrder {
  /** The socket file of its router. */
  readonly link: string;
  /** From 1 on. */
  readonly number: number;
}

/** Keeps so many fronts, until its standard input ends, or until they have ended in good order after SIGTERM, which they get, too. */
export function keepFronts(link: string, count: number): void {
  // Round robin would cost this process more than a front spends on a connection.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const state: State = { isStopping: false, running: 0 };
  for (let number = 1; number <= count; number += 1) keep({ link, number }, state);
  process.on('SIGTERM', () => {
    state.isStopping = true;
    exitWhenAlone(state);
  });
  process.stdin.on('end', () => process.exit(0)).resume();
}

interface State {
  isStopping: boolean;
  /** How many fronts there are. */
  running: number;
}

function exitWhenAlone({ isStopping, running }: State): void {
  if (isStopping && running === 0) process.exit(0);
}

function keep(order: FrontOrder, state: State): void {
  const backOff = new BackOff(() => performance.now(), TIMES);
  const start = (): void => {
    if (state.isStopping) return;
    backOff.started();
    state.running += 1;
    cluster.fork({ [FRONT_ORDER]: JSON.stringify(order) }).once('exit', () => {
      state.running -= 1;
      setTimeout(start, backOff.ended());
      exitWhenAlone(state);
    });
  };
  start();
}
