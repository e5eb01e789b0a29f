/**
 * The cookies of a running node through its control socket: the requests `cookies.list`, `cookies.revoke`,
 * `cookies.compact` and `cookies.import`, on either side.
 */
import { numberOf, textOf } from './request-arguments.js';
import type { ControlArguments, ControlClient, ControlHandlers } from './control.js';
import type {
  CompactedStore,
  CookieManagement,
  CookieSelection,
  ImportReport,
  ListedCookie,
} from '../cookie/management.js';

/** The node's side. */
export function cookieRequests(management: CookieManagement): ControlHandlers {
  return {
    'cookies.list': (request, send, signal) =>
      management.list(storeOf(request), (cookie) => {
        signal.throwIfAborted();
        return send(cookie);
      }),
    // Done to its end, also when nobody waits any more: who is to be logged out is.
    'cookies.revoke': (request) => {
      const selection = { authid: textOf(request, 'authid'), digest: textOf(request, 'digest') };
      const isAll = request['all'] === true;
      if ([isAll, selection.authid !== undefined, selection.digest !== undefined].filter(Boolean).length !== 1) {
        throw new Error('say which cookies are meant: one of "authid", "digest" and "all": true');
      }
      return management.revoke(selection, storeOf(request));
    },
    'cookies.compact': (request) => management.compact(storeOf(request)),
    // That it goes on is said now and then, or nobody would notice that the asker has gone.
    'cookies.import': (request, send, signal) => {
      const from = textOf(request, 'from');
      if (from === undefined) throw new Error('"from" is missing');
      return management.import(from, storeOf(request), { signal, onProgress: () => send({ importing: from }) });
    },
  };
}

function storeOf(request: ControlArguments): number | undefined {
  return numberOf(request, 'store');
}

/** The side of a command. What comes back is the node's own, of the same version or near it, and is not checked again. */
export class RemoteManagement implements CookieManagement {
  readonly #client: ControlClient;

  constructor(client: ControlClient) {
    this.#client = client;
  }

  async list(store: number | undefined, onCookie: (cookie: ListedCookie) => Promise<void> | void): Promise<void> {
    await this.#client.ask('cookies.list', { store }, (item) => onCookie(item as ListedCookie));
  }

  async revoke(selection: CookieSelection, store?: number): Promise<number> {
    const all = selection.authid === undefined && selection.digest === undefined;
    return (await this.#client.ask('cookies.revoke', { ...selection, all, store })) as number;
  }

  async compact(store?: number): Promise<readonly CompactedStore[]> {
    return (await this.#client.ask('cookies.compact', { store })) as CompactedStore[];
  }

  async import(from: string, store?: number): Promise<ImportReport> {
    return (await this.#client.ask('cookies.import', { from, store })) as ImportReport;
  }
}
