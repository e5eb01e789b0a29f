/**
 * Socket activation: what systemd says in the environment about the sockets that it has opened (sd_listen_fds(3)). Read once, before
 * anything starts. Programs that the node starts must not take the sockets for theirs, so the variables are removed.
 */
import type { Logger } from '../../log/logger.js';
import { inheritedSockets } from '../../transport/listen/inherited.js';
import type { Inherited, InheritedSocket } from '../../transport/listen/inherited.js';

/** The first one; before it come standard input, output and error. */
const FIRST_FD = 3;

/** More is no number of sockets, but a mistake. */
const MAX_SOCKETS = 1024;

/** How systemd calls a socket whose unit gives it no name. */
const UNNAMED = 'unknown';

/** The environment of the process, or what stands for it. */
export type Variables = Record<string, string | undefined>;

/**
 * Takes `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` out of the environment.
 * @returns what they say to the process with this pid.
 */
export function takeInherited(env: Variables, pid: number): Inherited {
  const { LISTEN_FDS: count, LISTEN_PID: target, LISTEN_FDNAMES: names } = env;
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) Reflect.deleteProperty(env, name);
  if (count === undefined) return { sockets: [] };
  if (target !== String(pid)) {
    return {
      fault: `systemd has passed its sockets to process ${String(target)}, and this is ${pid}: run the command itself, not by npm or a shell`,
    };
  }
  const sockets = socketsOf(count, names?.split(':'));
  return sockets === undefined ? { fault: 'LISTEN_FDS and LISTEN_FDNAMES do not fit together' } : { sockets };
}

/** {@link takeInherited}, for the transports of this process. */
export function acceptInherited(env: Variables, pid: number): void {
  inheritedSockets.accept(takeInherited(env, pid));
}

/** Says which sockets no transport listens on, if there are any. To be called when all transports have started. */
export function warnOfIdle(log: Logger): void {
  const { idle } = inheritedSockets;
  if (idle.length > 0)
    log.warn({ sockets: idle }, 'systemd listens on sockets that no transport has: clients wait there');
}

function socketsOf(count: string, names: readonly string[] | undefined): InheritedSocket[] | undefined {
  if (!/^\d{1,4}$/.test(count) || Number(count) > MAX_SOCKETS) return undefined;
  if (names !== undefined && names.length !== Number(count)) return undefined;
  return Array.from({ length: Number(count) }, (_, index) => ({
    name: names?.[index] ?? UNNAMED,
    fd: FIRST_FD + index,
  }));
}
