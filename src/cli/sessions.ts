/**
 * `crossbar-ts sessions`, `registrations` and `subscriptions`: who is on a running node, and what they offer and want. Tables for
 * people, with `--json` one JSON object per line. No cookie id is shown, and no ticket: the node does not give them away.
 */
import { withSessions } from '../node/commands.js';
import { NodeError } from '../node/error.js';
import type {
  KillChoice,
  KilledPart,
  ListChoice,
  ListedRegistration,
  ListedSession,
  ListedSubscription,
  PatternChoice,
  RealmChoice,
  RemoteSessions,
  SessionInFull,
} from '../node/session-control.js';
import { placeOf } from './place.js';
import type { PlaceOptions } from './place.js';
import { counted, print, printable, tableOf } from './table.js';

interface ShowOptions extends PlaceOptions {
  readonly json?: boolean;
}

/** The options of `sessions list`. */
export type ListOptions = ShowOptions & ListChoice;

/** The options of `sessions get`. */
export type GetOptions = ShowOptions & RealmChoice;

/** The options of `sessions kill`. */
export type KillOptions = PlaceOptions & Omit<KillChoice, 'id'>;

/** The options of `registrations list` and `subscriptions list`. */
export type PatternOptions = ShowOptions & PatternChoice;

/** Prints the sessions of a node. */
export async function listSessions(options: ListOptions): Promise<void> {
  const { realm, worker, authid, authrole, id } = options;
  await printList(options, SESSIONS, (sessions, show) => sessions.list({ realm, worker, authid, authrole, id }, show));
}

/** Prints the registrations of a node. */
export async function listRegistrations(options: PatternOptions): Promise<void> {
  const { realm, worker, uri } = options;
  await printList(options, REGISTRATIONS, (sessions, show) => sessions.registrations({ realm, worker, uri }, show));
}

/** Prints the subscriptions of a node. */
export async function listSubscriptions(options: PatternOptions): Promise<void> {
  const { realm, worker, uri } = options;
  await printList(options, SUBSCRIPTIONS, (sessions, show) => sessions.subscriptions({ realm, worker, uri }, show));
}

/** Prints all about one session. */
export async function getSession(id: number, options: GetOptions): Promise<void> {
  const { realm, worker, json } = options;
  const found = await withSessions(placeOf(options), (sessions) => sessions.get(id, { realm, worker }));
  await print(json === true ? `${JSON.stringify(inOne(found))}\n` : inWords(found));
}

/** Ends sessions. Exits with 1 when there is none to end. */
export async function killSessions(id: number | undefined, options: KillOptions): Promise<void> {
  const { realm, worker, authid, authrole, all, reason, message } = options;
  if ([id, authid, authrole, all].filter((choice) => choice !== undefined).length !== 1) {
    throw new NodeError(
      'ERR_NODE_CONTROL',
      'say which sessions are meant: one of an id, --authid, --authrole and --realm with --all',
    );
  }
  if (all === true && realm === undefined) {
    throw new NodeError('ERR_NODE_CONTROL', 'say in which realm: --all needs --realm');
  }
  const choice = { id, realm, worker, authid, authrole, all, reason, message };
  const { killed, parts } = await withSessions(placeOf(options), (sessions) => sessions.kill(choice));
  if (killed === 0) throw new NodeError('ERR_NODE_CONTROL', 'there is no such session, none was killed');
  await print([`${counted(killed, 'session')} killed`, ...parts.map(partInWords)].map((line) => `${line}\n`).join(''));
}

interface Listing<T> {
  readonly headings: readonly string[];
  readonly rowOf: (entry: T) => readonly string[];
  /** What is said instead of an empty table. */
  readonly none: string;
}

async function printList<T>(
  options: ShowOptions,
  { headings, rowOf, none }: Listing<T>,
  list: (sessions: RemoteSessions, show: (entry: T) => Promise<void> | void) => Promise<void>,
): Promise<void> {
  const rows: (readonly string[])[] = [];
  const show = (entry: T): Promise<void> | void => {
    if (options.json === true) return print(`${JSON.stringify(entry)}\n`);
    rows.push(rowOf(entry));
  };
  await withSessions(placeOf(options), (sessions) => list(sessions, show));
  if (options.json === true) return;
  await print(rows.length === 0 ? `${none}\n` : tableOf([headings, ...rows]));
}

const SESSIONS: Listing<ListedSession> = {
  headings: ['REALM', 'SESSION', 'AUTHID', 'ROLE', 'METHOD', 'TRANSPORT', 'PEER', 'JOINED', 'WORKER'],
  rowOf: ({ realm, session, authid, authrole, authmethod, transport, joined, worker }) => [
    ...[printable(realm), String(session), printable(authid), printable(authrole), printable(authmethod)],
    ...[kindOf(transport), peerOf(transport), joined, worker],
  ],
  none: 'no sessions',
};

const REGISTRATIONS: Listing<ListedRegistration> = {
  headings: ['REALM', 'ID', 'PROCEDURE', 'MATCH', 'INVOKE', 'CALLEES', 'SESSIONS', 'CREATED', 'WORKER'],
  rowOf: ({ realm, id, uri, match, invoke, callees, sessions, created, worker }) => [
    ...[printable(realm), String(id), printable(uri), match, invoke, String(callees)],
    ...[sessionsInWords(sessions), created, worker],
  ],
  none: 'no registrations',
};

const SUBSCRIPTIONS: Listing<ListedSubscription> = {
  headings: ['REALM', 'ID', 'TOPIC', 'MATCH', 'SUBSCRIBERS', 'CREATED', 'WORKER'],
  rowOf: ({ realm, id, uri, match, subscribers, created, worker }) => [
    ...[printable(realm), String(id), printable(uri), match, String(subscribers), created, worker],
  ],
  none: 'no subscriptions',
};

type Transport = ListedSession['transport'];

/** A session of the node itself has no connection, and its peer says what it is. */
function kindOf({ channel_framing: framing, channel_type: type, peer }: Transport): string {
  if (framing === undefined) return printable(peer);
  return type === 'tls' ? `${framing} tls` : framing;
}

function peerOf({ channel_framing: framing, peer }: Transport): string {
  return framing === undefined ? '-' : printable(peer);
}

/** So many callees are named in a table. */
const NAMED = 3;

function sessionsInWords(sessions: readonly number[]): string {
  return `${sessions.slice(0, NAMED).join(' ')}${sessions.length > NAMED ? ' ...' : ''}`;
}

function inOne({ session, registrations, subscriptions }: SessionInFull): object {
  return { ...session, registrations, subscriptions };
}

function inWords({ session, registrations, subscriptions }: SessionInFull): string {
  const { transport, unsent_bytes: unsent, ...rest } = session;
  const facts = Object.entries({ ...rest, ...prefixed(transport), unsent_bytes: unsent ?? '-' });
  const lines = facts.map(([key, value]) => [key, printable(String(value))]);
  const below = [
    ...[counted(registrations.length, 'registration'), patterns(registrations, REGISTRATIONS)],
    ...[counted(subscriptions.length, 'subscription'), patterns(subscriptions, SUBSCRIPTIONS)],
  ];
  return `${tableOf(lines)}\n${below.map((text) => (text.endsWith('\n') || text === '' ? text : `${text}\n`)).join('')}`;
}

function prefixed(transport: Transport): object {
  return Object.fromEntries(Object.entries(transport).map(([key, value]) => [`transport.${key}`, value]));
}

function patterns<T>(entries: readonly T[], { headings, rowOf }: Listing<T>): string {
  return entries.length === 0 ? '' : tableOf([headings, ...entries.map(rowOf)]);
}

function partInWords({ session, authid, authmethod }: KilledPart): string {
  if (authmethod !== 'component') return `session ${session} belonged to the program that runs the node`;
  return `session ${session} was the component ${printable(authid)} of the node: it is back when the node starts again`;
}
