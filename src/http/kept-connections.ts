/**
 * The connections that do not end as soon as the node stops. Usually one between two requests does, and so does every other one behind
 * its answer. But a client of long-poll is told of the end by its next request, and has no other way to hear of it: a new connection
 * finds no port any more. It knows no services.
 */

/** Why a connection is kept. */
export interface Keeper {
  /** Requests below this path are still answered there, as a service sees its mount. */
  readonly mount: string;
  /** Whether somebody has something to hear yet. */
  isNeeded(): boolean;
}

/** connection -> who keeps it */
const keepers = new WeakMap<object, Keeper>();

/** From now on the connection stays as long as it is needed, also when the node stops. */
export function keepConnection(socket: object, keeper: Keeper): void {
  keepers.set(socket, keeper);
}

/** Whether a connection has to stay. */
export function isKept(socket: object): boolean {
  return keepers.get(socket)?.isNeeded() === true;
}

/** Whether a connection was kept for something else than the path of a request on it. */
export function isKeptForOthers(socket: object, path: string): boolean {
  const keeper = keepers.get(socket);
  return keeper !== undefined && keeper.mount !== '/' && !`${path}/`.startsWith(`${keeper.mount}/`);
}
