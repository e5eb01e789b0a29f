/**
 * Anonymous authentication: everybody is let in. The `authid` is the configured one, else that of the tracking cookie, so that a
 * returning browser is recognised, else a random serial. (Crossbar.io documents the cookie, but hands out a random id when
 * `auth.anonymous` is configured.) With an authenticator, the authenticator decides who is let in.
 */
import { drawBytes } from '../system/random.js';
import { createAsking } from './dynamic/asking.js';
import { accept } from './verdict.js';
import type { DynamicConfig, FunctionConfig } from './dynamic/schema.js';
import type { AuthDeps, AuthMethod, AuthMethodType, ClientInfo } from './method.js';
import type { AnonymousConfig } from './schema.js';

export const anonymous: AuthMethodType<AnonymousConfig | DynamicConfig | FunctionConfig> = {
  type: 'anonymous',
  withoutSecret: true,
  create: (config, deps) => (config.type === 'static' ? fixed(config) : asking(config, deps)),
};

function fixed({ realm, authid, role }: AnonymousConfig): AuthMethod {
  return {
    start(request, { client }) {
      return accept({
        realm: realm ?? request.realm,
        authid: authid ?? nameOf(client),
        authrole: role,
        authmethod: 'anonymous',
        authprovider: 'static',
      });
    },

    faultOf(login) {
      const isOther =
        login.authrole !== role ||
        (realm !== undefined && login.authrealm !== realm) ||
        (authid !== undefined && login.authid !== authid);
      return isOther ? 'no such principal' : undefined;
    },
  };
}

/** The authenticator decides by what is known of the connection, such as a session cookie of the application or an address. */
async function asking(config: DynamicConfig | FunctionConfig, deps: AuthDeps): Promise<AuthMethod> {
  const ask = await createAsking(config, deps);
  return {
    start: (request, context) =>
      // The authid that the client asks for proves nothing.
      ask({ request, context, authid: nameOf(context.client) }, accept),
  };
}

function nameOf({ liveCookie }: ClientInfo): string {
  return liveCookie?.authid ?? randomSerial();
}

// 32 characters that are hard to confuse when read out. With 32 of them a random byte picks one without bias.
const ALPHABET = Buffer.from('ABCDEFGHJKLMNPQRSTUVWXYZ23456789');
/** Reused for every serial. */
const SERIAL = Buffer.from('XXXX-XXXX-XXXX-XXXX-XXXX-XXXX');

/** @returns `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`, 120 random bits: the form of Crossbar.io's anonymous authids. */
export function randomSerial(): string {
  const bytes = drawBytes(24);
  // A dash stands behind every fourth character.
  for (let i = 0; i < bytes.length; i++) SERIAL[i + (i >> 2)] = ALPHABET[(bytes[i] ?? 0) & 31] ?? 0;
  return SERIAL.toString('latin1');
}
