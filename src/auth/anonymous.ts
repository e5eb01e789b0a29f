/**
 * Anonymous authentication: everybody may enter. The `authid` is that of the tracking cookie where there is one, so that a
 * returning browser is recognised (Crossbar.io documents this, but hands out a random id when `auth.anonymous` is
 * configured); a configured `authid` goes before, and without a cookie it is a random serial.
 */
import { randomBytes } from 'node:crypto';
import type { AuthMethod, AuthMethodType } from './method.js';
import type { AnonymousConfig } from './schema.js';

export const anonymous: AuthMethodType<AnonymousConfig> = {
  type: 'anonymous',

  create(config): AuthMethod {
    return {
      start(request, { client: { visitor } }) {
        return {
          type: 'accept',
          principal: {
            realm: config.realm ?? request.realm,
            authid: config.authid ?? visitor?.authid ?? randomSerial(),
            authrole: config.role,
            authmethod: 'anonymous',
            authprovider: 'static',
          },
        };
      },
    };
  },
};

// 32 characters that are not mistaken for each other when read out; a byte picks one without bias.
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** @returns `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`, 120 random bits: the form that Crossbar.io gives to anonymous clients. */
export function randomSerial(): string {
  const bytes = randomBytes(24);
  let serial = '';
  for (let i = 0; i < bytes.length; i++) {
    if (i > 0 && i % 4 === 0) serial += '-';
    serial += ALPHABET.charAt((bytes[i] ?? 0) & 31);
  }
  return serial;
}
