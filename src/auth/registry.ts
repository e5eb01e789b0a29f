/** The authentication methods that a config can name. A new one is a file of its own and a line in the list below. */
import { setTimeout as pause } from 'node:timers/promises';
import { anonymous } from './anonymous.js';
import { cookie } from './cookie.js';
import { cryptosign } from './cryptosign/cryptosign.js';
import { FailureLimit } from './failure-limit.js';
import { oneTime } from './one-time/one-time.js';
import { jwt } from './jwt/jwt.js';
import { anonymousProxy, cryptosignProxy } from './proxy.js';
import { SharedTicket, TICKET } from './shared-ticket.js';
import { scram } from './scram/scram.js';
import { session } from './session/session.js';
import { ticket } from './ticket.js';
import { tls } from './tls/tls.js';
import { wampcra } from './wampcra/wampcra.js';
import type { AuthDeps, AuthMethod, AuthMethods, AuthMethodType } from './method.js';
import type { AuthOptions } from './options-schema.js';
import { WITHOUT_AUTH } from './schema.js';
import type { AuthConfig } from './schema.js';

/** config word -> method. Every method takes the section of its own word; the schema makes sure of it. */
export type AuthMethodTypes = { readonly [W in keyof AuthConfig]-?: AuthMethodType<never> };

/** The methods that we ship. */
export const AUTH_METHODS: AuthMethodTypes = {
  ...{ anonymous, cookie, ticket, wampcra, scram, cryptosign, tls, session, jwt },
  one_time: oneTime,
  'anonymous-proxy': anonymousProxy,
  'cryptosign-proxy': cryptosignProxy,
};

/**
 * Sets up the methods of one transport.
 *
 * @param config its `auth` section; absent or empty means that everybody is `anonymous`.
 * @param types what may be configured.
 * @returns the methods by the names that clients use in HELLO, with failures counted (`failure-limit.ts`).
 * @throws (rejects) when one of them cannot be set up.
 */
export async function createAuthMethods(
  config: AuthConfig | undefined,
  options: AuthOptions,
  deps: Omit<AuthDeps, 'siblings'>,
  types: AuthMethodTypes = AUTH_METHODS,
): Promise<AuthMethods> {
  const sections = authSectionsOf(config);
  const limit = new FailureLimit(options, { ...deps, clock: () => performance.now(), pause });
  const methods = new Map<string, AuthMethod>();
  const tickets = new SharedTicket(deps.uris);
  for (const type of Object.values(types)) {
    const section = sections[type.type as keyof AuthConfig];
    if (section === undefined) continue;
    const method = await stopOnFailure(() => type.create(section as never, { ...deps, siblings: methods }), methods);
    const guarded = type.withoutSecret === true ? method : limit.guard(method);
    for (const name of type.names ?? [type.type]) methods.set(name, guarded);
    if (method.ticketReader !== undefined) tickets.add(method.ticketReader, method);
    if (type.type === TICKET) tickets.rest = method;
  }
  if (!tickets.isEmpty) methods.set(TICKET, limit.guard(tickets));
  return methods;
}

/** A method that cannot be set up leaves nothing of those before it. */
async function stopOnFailure(
  create: () => AuthMethod | Promise<AuthMethod>,
  methods: AuthMethods,
): Promise<AuthMethod> {
  try {
    return await create();
  } catch (error) {
    await stopAuthMethods(methods);
    throw error;
  }
}

/** Releases what methods hold. Never rejects. */
export async function stopAuthMethods(methods: AuthMethods): Promise<void> {
  await Promise.all([...new Set(methods.values())].map(async (method) => method.stop?.()));
}

/** @returns whether a method looks at the handshakes of clients; an authenticator should see all that is known of one. */
export function wantsHandshake(config: AuthConfig | undefined, types: AuthMethodTypes = AUTH_METHODS): boolean {
  return Object.entries(config ?? {}).some(([word, section]: [string, object]) => {
    const { wantsHandshake: wants }: AuthMethodType<never> = types[word as keyof AuthConfig];
    return wants === true || ('type' in section && section.type !== 'static');
  });
}

/** @returns the methods that are configured, and what holds where none is. */
export function authSectionsOf(config: AuthConfig | undefined): AuthConfig {
  return config === undefined || Object.keys(config).length === 0 ? WITHOUT_AUTH : config;
}
