/**
 * The requests about sessions (`session-control.ts`) of a node whose router workers are partly in processes of their own: what is asked is
 * passed to those that it concerns.
 */
import type { Logger } from '../../log/logger.js';
import type { ProcessOfRouter, RouterProcesses } from '../../worker/apart/processes.js';
import type { ControlArguments, ControlHandler, ControlHandlers } from '../control.js';
import { numberOf } from '../request-arguments.js';
import { chosenOf, heldBy, onlyOneOf, sessionRequests } from '../session-control.js';
import type { ServedRealm } from '../session-control.js';

const LISTS = ['sessions.list', 'registrations.list', 'subscriptions.list'];

interface There {
  readonly worker: string;
  readonly realm: string;
  readonly process: ProcessOfRouter;
}

/** @param served the realms of the node itself, asked anew for each request. */
export function sessionRequestsOfAll(
  served: () => readonly ServedRealm[],
  log: Logger,
  processes: RouterProcesses,
): ControlHandlers {
  const wrapped = Object.entries(sessionRequests(served, log)).map(([name, handler]): [string, ControlHandler] => {
    const around = LISTS.includes(name) ? listing : one;
    return [
      name,
      (request, send, signal) => {
        if (processes.all.length === 0) return handler(request, send, signal);
        const meant = chosenOf<ServedRealm | There>([...served(), ...realmsIn(processes)], request);
        return around({ name, request, send, signal, handler, meant });
      },
    ];
  });
  return Object.fromEntries(wrapped);
}

function realmsIn({ all }: RouterProcesses): There[] {
  return all.flatMap((process) => process.realms.map((realm) => ({ worker: process.worker, realm, process })));
}

interface Request {
  readonly name: string;
  readonly request: ControlArguments;
  readonly send: Parameters<ControlHandler>[1];
  readonly signal: AbortSignal;
  readonly handler: ControlHandler;
  /** Whose realms are meant. */
  readonly meant: readonly (ServedRealm | There)[];
}

function processesOf(meant: Request['meant']): ProcessOfRouter[] {
  return [...new Set(meant.flatMap((realm) => ('process' in realm ? [realm.process] : [])))];
}

/** All have something. */
async function listing({ name, request, send, signal, handler, meant }: Request): Promise<unknown> {
  if (meant.some((realm) => !('process' in realm))) await handler(request, send, signal);
  for (const process of processesOf(meant)) await process.askFor(name, request, { onItem: send, signal });
  return undefined;
}

/** One is meant. */
async function one({ name, request, send, signal, handler, meant }: Request): Promise<unknown> {
  const id = numberOf(request, 'id');
  const realms = id === undefined ? meant : await holdersOf(id, meant, signal);
  const realm = id === undefined && processesOf(meant).length === 0 ? undefined : onlyOneOf(realms, id);
  if (realm === undefined || !('process' in realm)) return handler(request, send, signal);
  const { worker, process } = realm;
  return process.askFor(name, { ...request, worker }, { onItem: send, signal });
}

async function holdersOf(id: number, meant: Request['meant'], signal: AbortSignal): Promise<(ServedRealm | There)[]> {
  const found: (ServedRealm | There)[] = meant.filter((realm) => !('process' in realm) && heldBy(realm, id));
  for (const realm of meant) {
    if (!('process' in realm)) continue;
    const { worker, process } = realm;
    const onItem = (): void => void found.push(realm);
    await process.askFor('sessions.list', { id, worker, realm: realm.realm }, { onItem, signal });
  }
  return found;
}
