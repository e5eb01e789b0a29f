/**
 * Who is on a running node, through its control socket: the requests `sessions.list`, `sessions.get`, `sessions.kill`,
 * `registrations.list` and `subscriptions.list`, on either side.
 *
 * A list is what is there when its turn comes: sessions come and go meanwhile, and the clients of the node do not wait for it.
 */
import type { LocalKind } from '../client/connect.js';
import type { Logger } from '../log/logger.js';
import type {
  Inventory,
  PatternEntry,
  RegistrationEntry,
  SessionEntry,
  SubscriptionEntry,
} from '../router/meta/inventory.js';
import { NodeError } from './error.js';
import { paced } from './paced.js';
import { numberOf, textOf } from './request-arguments.js';
import type { ControlArguments, ControlClient, ControlHandlers } from './control.js';

/** A realm of a worker. Realms of different workers are separate, even of the same name. */
export interface ServedRealm {
  /** The id of the worker. */
  readonly worker: string;
  readonly inventory: Inventory;
}

/** A realm by its names. */
export type NamedRealm = { readonly worker: string } & (
  { readonly inventory: Pick<Inventory, 'realm'> } | { readonly realm: string }
);

/** @param routers by the ids of their workers. @returns their realms. */
export function realmsServedBy(
  routers: ReadonlyMap<string, { readonly inventories: readonly Inventory[] }>,
): readonly ServedRealm[] {
  return [...routers].flatMap(([worker, { inventories }]) => inventories.map((inventory) => ({ worker, inventory })));
}

/** With the id of the worker. */
export type ListedSession = SessionEntry & { readonly worker: string };
/** With the id of the worker. */
export type ListedRegistration = RegistrationEntry & { readonly worker: string };
/** With the id of the worker. */
export type ListedSubscription = SubscriptionEntry & { readonly worker: string };

/** A session with all that it has. */
export interface SessionInFull {
  readonly session: ListedSession;
  readonly registrations: readonly ListedRegistration[];
  readonly subscriptions: readonly ListedSubscription[];
}

/** Whose sessions were killed, where they were no clients from outside. */
export interface KilledPart {
  readonly session: number;
  readonly authid: string;
  readonly authmethod: string;
}

/** What a kill did. */
export interface KillReport {
  readonly killed: number;
  /** The components among them, and the sessions of the program that runs the node. */
  readonly parts: readonly KilledPart[];
}

/** The `authmethod` of sessions of the node itself: clients cannot offer it. */
const PARTS: readonly string[] = ['component', 'local'] satisfies LocalKind[];

/** @param served asked anew for each request. */
export function sessionRequests(served: () => readonly ServedRealm[], log: Logger): ControlHandlers {
  const chosen = (request: ControlArguments): readonly ServedRealm[] => chosenOf(served(), request);

  return {
    async 'sessions.list'(request, send, signal) {
      const selection = selectionOf(request);
      const id = numberOf(request, 'id');
      for (const { worker, inventory } of chosen(request)) {
        const ids = id === undefined ? inventory.sessionIds : [id];
        await sendAll(ids, { worker, send, signal }, (each) =>
          inventory.isMeant(each, selection) ? inventory.session(each) : undefined,
        );
      }
    },

    async 'sessions.get'(request, send, signal) {
      const id = requiredId(request);
      const { worker, inventory } = holderOf(id, chosen(request));
      const deliver = (kind: string) => ({ worker, signal, send: (entry: unknown) => send({ [kind]: entry }) });
      await sendAll([id], deliver('session'), (each) => inventory.session(each));
      await sendAll(inventory.registrationsOf(id), deliver('registration'), (each) => inventory.registration(each));
      await sendAll(inventory.subscriptionsOf(id), deliver('subscription'), (each) => inventory.subscription(each));
    },

    // Done to its end, also when nobody waits any more.
    'sessions.kill': (request) => kill(request, chosen(request), log),

    'registrations.list': (request, send, signal) =>
      listPatterns(request, chosen(request), { send, signal }, (inventory) => ({
        ids: inventory.registrationIds,
        entryOf: (id) => inventory.registration(id),
      })),

    'subscriptions.list': (request, send, signal) =>
      listPatterns(request, chosen(request), { send, signal }, (inventory) => ({
        ids: inventory.subscriptionIds,
        entryOf: (id) => inventory.subscription(id),
      })),
  };
}

type Send = Parameters<ControlHandlers[string]>[1];

interface Delivery {
  readonly send: Send;
  readonly signal: AbortSignal;
}

/** What has gone in the meantime is left out. */
async function sendAll(
  ids: Iterable<number>,
  { worker, send, signal }: Delivery & { readonly worker: string },
  entryOf: (id: number) => object | undefined,
): Promise<void> {
  for await (const id of paced(ids)) {
    signal.throwIfAborted();
    const entry = entryOf(id);
    if (entry !== undefined) await send({ worker, ...entry });
  }
}

interface Patterns {
  readonly ids: Iterable<number>;
  readonly entryOf: (id: number) => PatternEntry | undefined;
}

async function listPatterns(
  request: ControlArguments,
  realms: readonly ServedRealm[],
  delivery: Delivery,
  patternsOf: (inventory: Inventory) => Patterns,
): Promise<void> {
  const beginning = textOf(request, 'uri') ?? '';
  for (const { worker, inventory } of realms) {
    const { ids, entryOf } = patternsOf(inventory);
    await sendAll(ids, { ...delivery, worker }, (id) => {
      const entry = entryOf(id);
      return entry?.uri.startsWith(beginning) === true ? entry : undefined;
    });
  }
}

async function kill(request: ControlArguments, realms: readonly ServedRealm[], log: Logger): Promise<KillReport> {
  const id = numberOf(request, 'id');
  const selection = selectionOf(request);
  const isAll = request['all'] === true;
  if ([id, selection.authid, selection.authrole, isAll || undefined].filter((one) => one !== undefined).length !== 1) {
    throw new Error('say which sessions are meant: one of "id", "authid", "authrole" and "all": true');
  }
  if (isAll && textOf(request, 'realm') === undefined) throw new Error('"all" needs the name of the realm');
  const { worker, inventory } = id === undefined ? onlyOneOf(realms) : holderOf(id, realms);
  const ids: number[] = [];
  const parts: KilledPart[] = [];
  for await (const each of paced(id === undefined ? inventory.sessionIds : [id])) {
    if (!inventory.isMeant(each, selection)) continue;
    ids.push(each);
    parts.push(...partOf(each, inventory));
  }
  const wanted = { reason: textOf(request, 'reason'), message: textOf(request, 'message'), isQuiet: isAll };
  let killed = 0;
  await new Promise<void>((resolve, reject) => {
    killed = inventory.kill(ids, wanted, (failure) => (failure === undefined ? resolve() : reject(failure)));
  });
  const { realm } = inventory;
  if (killed > 0) log.info({ worker, realm, sessions: killed, reason: wanted.reason }, 'sessions killed');
  return { killed, parts };
}

function partOf(session: number, inventory: Inventory): readonly KilledPart[] {
  const { authid = '', authmethod = '' } = inventory.session(session) ?? {};
  return PARTS.includes(authmethod) ? [{ session, authid, authmethod }] : [];
}

function selectionOf(request: ControlArguments) {
  return { authid: textOf(request, 'authid'), authrole: textOf(request, 'authrole') };
}

function requiredId(request: ControlArguments): number {
  const id = numberOf(request, 'id');
  if (id === undefined) throw new Error('"id" is missing');
  return id;
}

/** @returns the realms that a request names; all by default. @throws Error when there is none of the name, or no such worker. */
export function chosenOf<T extends NamedRealm>(realms: readonly T[], request: ControlArguments): readonly T[] {
  const [realm, worker] = [textOf(request, 'realm'), textOf(request, 'worker')];
  const ofWorker = realms.filter((each) => worker === undefined || each.worker === worker);
  if (worker !== undefined && ofWorker.length === 0) {
    throw new Error(`no worker ${JSON.stringify(worker)} with realms is on this node: there are ${workersOf(realms)}`);
  }
  const found = ofWorker.filter((each) => realm === undefined || nameOf(each) === realm);
  if (realm !== undefined && found.length === 0) {
    throw new Error(`no realm ${JSON.stringify(realm)} is on this node: there are ${namesOf(ofWorker)}`);
  }
  return found;
}

/** @param id of the session, where one is meant. @throws Error when it could be in several: nobody is to be ended by mistake. */
export function onlyOneOf<T extends NamedRealm>(realms: readonly T[], id?: number): T {
  const [first, another] = realms;
  if (first === undefined) throw new Error(id === undefined ? 'this node has no realms' : `there is no session ${id}`);
  if (another === undefined) return first;
  if (realms.every((each) => nameOf(each) === nameOf(first))) {
    const name = JSON.stringify(nameOf(first));
    throw new Error(`several workers have a realm ${name}: say --worker with one of ${workersOf(realms)}`);
  }
  throw new Error(`this node has several realms: say --realm with one of ${namesOf(realms)}`);
}

/** @throws Error when there is no such session. */
function holderOf(id: number, realms: readonly ServedRealm[]): ServedRealm {
  const found = realms.filter((realm) => heldBy(realm, id));
  return onlyOneOf(found, id);
}

/** @returns whether a session is in a realm. */
export function heldBy({ inventory }: ServedRealm, id: number): boolean {
  return inventory.isMeant(id, {});
}

function nameOf(realm: NamedRealm): string {
  return 'inventory' in realm ? realm.inventory.realm : realm.realm;
}

function namesOf(realms: readonly NamedRealm[]): string {
  return [...new Set(realms.map((realm) => JSON.stringify(nameOf(realm))))].join(', ');
}

function workersOf(realms: readonly NamedRealm[]): string {
  return [...new Set(realms.map(({ worker }) => worker))].join(', ');
}

/** Which realm; several workers may have one of the same name. */
export interface RealmChoice {
  readonly realm?: string | undefined;
  readonly worker?: string | undefined;
}

/** Which sessions are listed. */
export interface ListChoice extends RealmChoice {
  readonly authid?: string | undefined;
  readonly authrole?: string | undefined;
  readonly id?: number | undefined;
}

/** Which sessions are killed, and what they are told. */
export interface KillChoice extends ListChoice {
  readonly all?: boolean | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/** Which registrations or subscriptions are listed. */
export interface PatternChoice extends RealmChoice {
  /** How their URIs begin. */
  readonly uri?: string | undefined;
}

type OnEntry<T> = (entry: T) => Promise<void> | void;

/** The side of a command. What comes back is the node's own, of the same version or near it, and is not checked again. */
export class RemoteSessions {
  readonly #client: ControlClient;

  constructor(client: ControlClient) {
    this.#client = client;
  }

  async list(choice: ListChoice, onSession: OnEntry<ListedSession>): Promise<void> {
    await this.#client.ask('sessions.list', { ...choice }, (item) => onSession(item as ListedSession));
  }

  async get(id: number, choice: RealmChoice): Promise<SessionInFull> {
    let session: ListedSession | undefined;
    const registrations: ListedRegistration[] = [];
    const subscriptions: ListedSubscription[] = [];
    await this.#client.ask('sessions.get', { id, ...choice }, (item) => {
      const part = item as {
        session?: ListedSession;
        registration?: ListedRegistration;
        subscription?: ListedSubscription;
      };
      session ??= part.session;
      if (part.registration !== undefined) registrations.push(part.registration);
      if (part.subscription !== undefined) subscriptions.push(part.subscription);
    });
    if (session === undefined) throw new NodeError('ERR_NODE_CONTROL', `there is no session ${id}`);
    return { session, registrations, subscriptions };
  }

  async kill(choice: KillChoice): Promise<KillReport> {
    return (await this.#client.ask('sessions.kill', { ...choice })) as KillReport;
  }

  async registrations(choice: PatternChoice, onEntry: OnEntry<ListedRegistration>): Promise<void> {
    await this.#client.ask('registrations.list', { ...choice }, (item) => onEntry(item as ListedRegistration));
  }

  async subscriptions(choice: PatternChoice, onEntry: OnEntry<ListedSubscription>): Promise<void> {
    await this.#client.ask('subscriptions.list', { ...choice }, (item) => onEntry(item as ListedSubscription));
  }
}
