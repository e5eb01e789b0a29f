/**
 * The lines of the log about a session, from a refusal to its end. No line has a cookie id in it, and text that a client chose
 * is shortened.
 */
import { ErrorUri } from '../wamp/error.js';
import { EVENT, INVOCATION } from '../wamp/message.js';
import { traceFacts } from '../wamp/trace.js';
import { LineKind } from '../log/line.js';
import { sayRepeated } from '../log/repeated.js';
import { shown } from '../log/logger.js';
import { deciderText } from '../router/permission.js';
import { shownAuthid } from './identity.js';
import type { Deny } from '../auth/method.js';
import type { Denial } from '../router/permission.js';
import type { ProtocolViolation, WampError } from '../wamp/error.js';
import type { RouterMessage } from '../wamp/message.js';
import type { SessionDeps } from './deps.js';
import type { SessionTransport } from './transport.js';

type Facts = Readonly<Record<string, unknown>>;
type Log = Pick<SessionDeps, 'log'>;

/** A session as the log names it. Its id is 0, and its authid empty, until it has them. */
export interface LoggedSession {
  readonly id: number;
  readonly authid: string;
  readonly authrole: string;
  readonly transport: Pick<SessionTransport, 'client'>;
}

/** @param realm undefined when it has left it. @returns what identifies a session. */
export function factsOf(session: LoggedSession, realm: string | undefined): Facts {
  if (session.authid !== '') return namesOf(session, realm);
  return { sessionId: session.id || undefined, peer: session.transport.client.peer };
}

function namesOf({ id, authid, authrole, transport: { client } }: LoggedSession, realm: string | undefined): Facts {
  return { realm, sessionId: id, authid: shownAuthid(authid, client), authrole };
}

/** @param asked what the client asked for. */
export function sayRefused({ log }: Log, facts: Facts, asked: Facts, { reason, message }: Deny): void {
  // A text that is no URI is repeated to the client alone.
  const text = reason === ErrorUri.INVALID_URI ? undefined : shown(message);
  log.info({ ...facts, ...asked, reason, message: text }, 'session refused');
}

const NAMES = ['realm', 'sessionId', 'authid', 'authrole'] as const;
const JOINED = new LineKind('info', [...NAMES, 'authmethod', 'peer'] as const, 'session joined');
const LEFT = new LineKind('info', [...NAMES, 'reason'] as const, 'session left');

export function sayJoined({ log }: Log, session: LoggedSession, realm: string, authmethod: string): void {
  if (!JOINED.isWrittenBy(log)) return;
  const { id, authid, authrole, transport } = session;
  const { client } = transport;
  JOINED.write(log, [realm, id, shownAuthid(authid, client), authrole, authmethod, client.peer]);
}

export function sayLeft({ log }: Log, session: LoggedSession, realm: string, reason: string): void {
  if (!LEFT.isWrittenBy(log)) return;
  const { id, authid, authrole, transport } = session;
  LEFT.write(log, [realm, id, shownAuthid(authid, transport.client), authrole, shown(reason)]);
}

/**
 * Clients can cause this line as often as they like: once a minute for each role and action it is a warning, else for `debug`.
 * What the client chose is no part of the kind.
 */
export function sayDenied(deps: Pick<SessionDeps, 'log' | 'repeated'>, facts: Facts, denial: Denial): void {
  const { action, uri, match, remark } = denial;
  const pattern = match === 'exact' ? {} : { match };
  const rule = remark === undefined ? deciderText(denial) : `${deciderText(denial)} (${remark})`;
  const line = { ...facts, action, uri: shown(uri), ...pattern, rule };
  const kind = `denied to ${action} as ${String(facts['authrole'])}`;
  if (!sayRepeated(deps, 'warn', line, DENIED, kind)) deps.log.debug(line, DENIED);
}

const DENIED = 'action denied';

/** Clients can cause this line as often as they like. */
export function sayViolation(
  deps: Pick<SessionDeps, 'log' | 'repeated'>,
  facts: Facts,
  error: ProtocolViolation,
): void {
  sayRepeated(deps, 'warn', { ...facts, violation: shown(error.message) }, 'protocol violation');
}

export function sayInternalError({ log }: Log, facts: Facts, error: unknown): void {
  log.error({ ...facts, err: error }, 'internal error, session ended');
}

export function sayUndelivered({ log }: Log, facts: Facts, undelivered: RouterMessage, { message }: WampError): void {
  const { type } = undelivered;
  const trace = type === INVOCATION || type === EVENT ? traceFacts(undelivered.details) : {};
  log.debug({ ...facts, messageType: type, reason: message, ...trace }, 'message not delivered');
}
