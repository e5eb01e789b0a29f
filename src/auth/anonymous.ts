/**
 * Anonymous authentication: everybody may enter. The `authid` is that of the tracking cookie where there is one, so that a
 * returning browser is recognised (Crossbar.io documents this, but hands out a random id when `auth.anonymous` is
 * configured); a configured `authid` goes before, and without a cookie it is a random serial.
 * With an authenticator, it decides who may enter.
 */
import { drawBytes } from '../system/random.js';
import { createAsking } from './dynamic/asking.js';
import { accept } from './verdict.js';
import type { DynamicConfig, FunctionConfig } from './dynamic/schema.js';
import type { AuthDeps, AuthMethod, AuthMethodType, ClientInfo } from './method.js';
import type { AnonymousConfig } from './schema.js';

export const anonymous: AuthMethodType<AnonymousConfig | DynamicConfig | FunctionConfig> = {
  type: 'anonymous',
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
  };
}

/** The authenticator decides by what is known of the connection: a session cookie of the application, an address. */
async function asking(config: DynamicConfig | FunctionConfig, deps: AuthDeps): Promise<AuthMethod> {
  const ask = await createAsking(config, deps);
  return {
    start: (request, context) =>
      // A name that the client asks for is worth nothing here.
      ask({ request, context, authid: nameOf(context.client) }, accept),
  };
}

function nameOf({ liveCookie }: ClientInfo): string {
  return liveCookie?.authid ?? randomSerial();
}

// 32 characters that are not mistaken for each other when read out; a byte picks one without bias.
const ALPHABET = Buffer.from('ABCDEFGHJKLMNPQRSTUVWXYZ23456789');
/** Where a serial is written before it becomes a text. */
const SERIAL = Buffer.from('XXXX-XXXX-XXXX-XXXX-XXXX-XXXX');

/** @returns `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`, 120 random bits: the form that Crossbar.io gives to anonymous clients. */
export function randomSerial(): string {
  const bytes = drawBytes(24);
  // Behind every fourth there is a dash.
  for (let i = 0; i < bytes.length; i++) SERIAL[i + (i >> 2)] = ALPHABET[(bytes[i] ?? 0) & 31] ?? 0;
  return SERIAL.toString('latin1');
}
