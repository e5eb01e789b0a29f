/** The HELLO that a CONNECT stands for, and the answer of CONNACK that a refusal stands for. */
import { isUtf8 } from 'node:buffer';
import { ownBytes } from '../serializer/large-frame.js';
import { ErrorUri } from '../wamp/error.js';
import { HELLO } from '../wamp/message.js';
import { ConnectCode } from './packets/packet.js';
import type { ClientInfo } from '../auth/method.js';
import type { Hello, Welcome } from '../wamp/message.js';
import type { ConnectPacket, Message } from './packets/packet.js';

/** What a session asks of a CONNECT. */
export type Connect = Pick<ConnectPacket, 'clean' | 'clientId' | 'username' | 'password' | 'will'>;

/** The longest client id, in UTF-16 code units: it is kept, and logged. Those that libraries make have some 20. */
export const MAX_CLIENT_ID = 1024;

/** It takes events away from those who may not have them any more; nobody calls and nobody is called. */
const ROLES = Object.freeze({
  publisher: {},
  subscriber: { features: { subscription_revocation: true } },
});

/** Reasons for which another user name or password may help. */
const OF_CREDENTIALS: ReadonlySet<string> = new Set([
  ErrorUri.NOT_AUTHORIZED,
  ErrorUri.AUTHENTICATION_DENIED,
  ErrorUri.AUTHENTICATION_FAILED,
]);

/** @returns the code for a CONNECT that no session is asked for; undefined for a good one. */
export function connectFault({ clientId, clean, password }: Connect): number | undefined {
  if (clientId.length > MAX_CLIENT_ID || (clientId === '' && !clean)) return ConnectCode.IDENTIFIER_REJECTED;
  // No ticket is what is no text.
  return password !== undefined && !isUtf8(password) ? ConnectCode.BAD_USER_OR_PASSWORD : undefined;
}

/**
 * A user name asks for `ticket`, and for nothing else: whoever names a user does not want to be somebody else. Without one a certificate
 * and a cookie say who it is, and else nobody does.
 */
export function helloOf(packet: Connect, realm: string, client: ClientInfo): Hello {
  const { username: authid, clientId: client_id, will } = packet;
  const mqtt = { client_id, will: will !== undefined, ...(will && { will_topic: will.topic }) };
  const details = { roles: ROLES, authmethods: methodsOf(packet, client), authextra: { mqtt } };
  return { type: HELLO, realm, details: authid === undefined ? details : { ...details, authid } };
}

/** @returns whether the realm keeps retained events. Where it is that of several nodes it does not. */
export function keepsEvents({ roles }: Welcome): boolean {
  return roles['broker']?.features?.['event_retention'] === true;
}

/** @returns the will, which may be kept for long: not with all that came in one piece with it. */
export function willOf({ will }: Connect): Message | undefined {
  return will && { ...will, payload: ownBytes(will.payload) };
}

/** @param reason of ABORT */
export function refusalCode({ username }: Connect, reason: string): number {
  if (reason === ErrorUri.TIMEOUT) return ConnectCode.UNAVAILABLE;
  const isOfUser = username !== undefined && OF_CREDENTIALS.has(reason);
  return isOfUser ? ConnectCode.BAD_USER_OR_PASSWORD : ConnectCode.NOT_AUTHORIZED;
}

function methodsOf({ username }: Connect, { tls, liveCookie }: ClientInfo): readonly string[] {
  if (username !== undefined) return ['ticket'];
  const methods = ['anonymous'];
  if (tls?.certificate !== undefined) methods.unshift('tls');
  if (liveCookie !== undefined) methods.unshift('cookie');
  return methods;
}
