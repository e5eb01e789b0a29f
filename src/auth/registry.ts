/**
 * The authentication methods of this router. To add one: write its file, add it here.
 */
import { anonymous } from './anonymous.js';
import type { AuthMethod } from './method.js';
import type { AuthConfig } from './schema.js';

/**
 * @param config the `auth` section of a transport; absent or empty means that everybody is `anonymous`.
 * @returns config word -> method, for the methods that the section configures.
 */
export function createAuthMethods(config: AuthConfig | undefined): ReadonlyMap<string, AuthMethod> {
  const section = config?.anonymous ?? { type: 'static', role: 'anonymous' };
  return new Map([[anonymous.type, anonymous.create(section)]]);
}
