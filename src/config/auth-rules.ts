/**
 * The rules of an `auth` section: what it hands out must be there, what it needs must be there, and what it says of
 * secrets must make sense. Whatever is wrong here would otherwise show when the first client is refused.
 */
import type { Cursor } from './cursor.js';
import { quote } from './describe.js';
import type { RuleContext } from './rules.js';
import { findSecret } from './secrets.js';
import { PRINCIPALS, principalsOf } from './walk.js';
import type { WampPlace } from './walk.js';

/** @param realms those of the worker. */
export function checkAuth({ place, cookie }: WampPlace, realms: readonly Cursor[], context: RuleContext): void {
  const auth = place.get('auth');
  if (auth.entries().length === 0) return warnWithoutAnonymousRole(place, realms, context);
  checkGrant(auth.get('anonymous'), realms, context);
  for (const method of auth.entries()) {
    checkGrant(method, realms, context, ['authenticator-realm', 'authenticator-role']);
  }
  for (const principal of principalsOf(auth)) checkGrant(principal, realms, context);
  for (const [method, key] of PRINCIPALS) checkPrincipals(auth.get(method), key, context);
  for (const user of auth.at('wampcra', 'users').entries()) checkWampCraUser(user, context);
  if (!auth.get('cookie').missing && cookie.missing) {
    context.report(
      auth.get('cookie').path,
      'found without a "cookie" section for this path (allowed: both, or none of them)',
    );
  }
}

/** Realm and role that somebody gets must be there, or every such client would be refused. */
export function checkGrant(
  principal: Cursor,
  realms: readonly Cursor[],
  context: RuleContext,
  [realmKey, roleKey]: readonly [string, string] = ['realm', 'role'],
): void {
  const realmName = principal.get(realmKey).text();
  const candidates = realmName === undefined ? realms : realms.filter((realm) => realm.get('name').value === realmName);
  if (realmName !== undefined && candidates.length === 0) {
    context.report(
      principal.get(realmKey).path,
      `the worker has no realm ${quote(realmName)} (allowed: ${names(realms)})`,
    );
    return;
  }
  const roleName = principal.get(roleKey).text();
  const roles = candidates.flatMap((realm) => realm.get('roles').items());
  if (roleName !== undefined && !roles.some((role) => role.get('name').value === roleName)) {
    const where =
      realmName === undefined ? 'the worker has no realm with' : `the realm ${quote(realmName)} does not have`;
    const text = `${where} a role ${quote(roleName)}`;
    context.report(principal.get(roleKey).path, `${text} (allowed: ${names(roles)})`);
  }
}

function checkPrincipals(method: Cursor, key: string, { warn }: RuleContext): void {
  const principals = method.get(key);
  if (principals.isObject && principals.entries().length === 0) {
    warn(principals.path, 'there is nobody in it, so nobody can log in by this method');
  }
}

function checkWampCraUser(user: Cursor, context: RuleContext): void {
  const { report } = context;
  const [salt, keylen] = [user.get('salt'), user.get('keylen')];
  if (salt.missing) {
    for (const only of [user.get('iterations'), keylen]) {
      if (!only.missing) report(only.path, 'found without "salt" (allowed: both, or none of them)');
    }
    return;
  }
  if (salt.value === '') return;
  const secret = findSecret(user.get('secret'), context)?.secret;
  const length = keylen.missing ? DEFAULT_KEYLEN : keylen.number();
  if (secret === undefined || length === undefined || isKey(secret, length)) return;
  report(
    user.get('secret').path,
    `found something else than a derived key of ${length} bytes beside "salt" (allowed: what PBKDF2 derives from the password, in Base64)`,
  );
}

/** What clients take for granted. */
const DEFAULT_KEYLEN = 32;

function isKey(secret: string, length: number): boolean {
  const bytes = Buffer.from(secret, 'base64');
  return bytes.length === length && bytes.toString('base64') === secret;
}

/** Says which secrets are not where the config says they are. */
export function checkSecret(place: Cursor, context: RuleContext): void {
  const found = findSecret(place, context);
  if (found === undefined) return;
  if (found.secret === undefined) context.report(place.path, `${found.problem} (allowed: one that holds the secret)`);
  else if (found.doubt !== undefined) context.warn(place.path, found.doubt);
}

function warnWithoutAnonymousRole(place: Cursor, realms: readonly Cursor[], { warn }: RuleContext): void {
  const roles = realms.flatMap((realm) => realm.get('roles').items());
  if (!roles.some((role) => role.get('name').value === 'anonymous')) {
    const isRawSocket = place.get('type').value === 'rawsocket' || place.path.at(-1) === 'rawsocket';
    const what = isRawSocket ? 'RawSocket' : 'WebSocket';
    warn(place.path, `clients of this ${what} get the role "anonymous", but no realm of the worker has it`);
  }
}

function names(places: readonly Cursor[]): string {
  if (places.length === 0) return 'none, there are none yet';
  return places.map((place) => quote(place.get('name').text() ?? '')).join(', ');
}
