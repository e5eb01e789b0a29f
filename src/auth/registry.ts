/**
 * The authentication methods of this router. To add one: write its file, add it here.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { anonymous } from './anonymous.js';
import { cookie } from './cookie.js';
import { cryptosign } from './cryptosign/cryptosign.js';
import { FailureLimit } from './failure-limit.js';
import { scram } from './scram/scram.js';
import { ticket } from './ticket.js';
import { tls } from './tls/tls.js';
import { wampcra } from './wampcra/wampcra.js';
import type { AuthDeps, AuthMethod, AuthMethods, AuthMethodType } from './method.js';
import type { AuthOptions } from './options-schema.js';
import { WITHOUT_AUTH } from './schema.js';
import type { AuthConfig } from './schema.js';

/** Every method takes the section of its own word; the schema makes sure of it. */
const TYPES: readonly AuthMethodType<never>[] = [anonymous, cookie, ticket, wampcra, scram, cryptosign, tls];

/** They ask for no secret, so nobody can guess one. */
const WITHOUT_SECRET: readonly AuthMethodType<never>[] = [anonymous, cookie];

/**
 * @param config the `auth` section of a transport; absent or empty means that everybody is `anonymous`.
 * @returns the methods that the section configures, by the names that clients call them. Rejects when one of them cannot
 *   be set up.
 */
export async function createAuthMethods(
  config: AuthConfig | undefined,
  options: AuthOptions,
  deps: Omit<AuthDeps, 'siblings'>,
): Promise<AuthMethods> {
  const sections: AuthConfig = config === undefined || Object.keys(config).length === 0 ? WITHOUT_AUTH : config;
  const limit = new FailureLimit(options, { ...deps, clock: () => performance.now(), pause });
  const methods = new Map<string, AuthMethod>();
  for (const type of TYPES) {
    const section = sections[type.type as keyof AuthConfig];
    if (section === undefined) continue;
    const method = await type.create(section as never, { ...deps, siblings: methods });
    const guarded = WITHOUT_SECRET.includes(type) ? method : limit.guard(method);
    for (const name of type.names ?? [type.type]) methods.set(name, guarded);
  }
  return methods;
}
