/**
 * The rules of an `auth` section: what it hands out must be there, what it needs must be there, and what it says of
 * secrets must make sense. Whatever is wrong here would otherwise show when the first client is refused.
 */
import type { Cursor } from './cursor.js';
import { quote } from './schema-words.js';
import type { RuleContext } from './rules.js';
import { findSecret } from './secrets.js';
import { PRINCIPALS, principalsOf } from './places.js';
import type { WampPlace } from './places.js';

/** @param realms those of the worker. */
export function checkAuth({ place, cookie }: WampPlace, realms: readonly Cursor[], context: RuleContext): void {
  const auth = place.get('auth');
  if (auth.entries().length === 0) return warnWithoutAnonymousRole(place, realms, context);
  checkGrant(auth.get('anonymous'), realms, context);
  for (const method of auth.entries()) {
    checkGrant(method, realms, context, ['authenticator-realm', 'authenticator-role', 'authenticator-callee-role']);
  }
  for (const principal of principalsOf(auth)) checkGrant(principal, realms, context);
  for (const [method, key] of PRINCIPALS) checkPrincipals(auth.get(method), key, context);
  for (const user of auth.at('wampcra', 'users').entries()) checkWampCraUser(user, context);
  for (const principal of auth.at('scram', 'principals').entries()) checkScramPrincipal(principal, context);
  for (const principal of auth.at('tls', 'principals').entries()) checkTlsPrincipal(principal, context);
  checkKeys(auth.at('cryptosign', 'principals'), context);
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
  [realmKey, ...roleKeys]: readonly [string, ...string[]] = ['realm', 'role'],
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
  const roles = candidates.flatMap((realm) => realm.get('roles').items());
  for (const place of roleKeys.map((key) => principal.get(key))) {
    const roleName = place.text();
    if (roleName === undefined || roles.some((role) => role.get('name').value === roleName)) continue;
    const where =
      realmName === undefined ? 'the worker has no realm with' : `the realm ${quote(realmName)} does not have`;
    context.report(place.path, `${where} a role ${quote(roleName)} (allowed: ${names(roles)})`);
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

/** Argon2 needs to be told how much memory, and nothing else does. */
function checkScramPrincipal(principal: Cursor, { report }: RuleContext): void {
  const kdf = principal.get('kdf').text();
  const memory = principal.get('memory');
  const isArgon = kdf?.startsWith('argon2') === true;
  if (isArgon && memory.missing)
    report(principal.path, `missing key "memory" beside "kdf": ${quote(kdf)} (allowed: both)`);
}

function checkTlsPrincipal(principal: Cursor, { report }: RuleContext): void {
  const isKnown = FINGERPRINTS.some((key) => !principal.get(key).missing);
  if (principal.isObject && !isKnown) {
    report(principal.path, `missing key "certificate-sha1" (allowed: ${FINGERPRINTS.map(quote).join(' or ')})`);
  }
}

const FINGERPRINTS = ['certificate-sha1', 'certificate-sha256'];

/** A client that names no authid is found by its key, which should tell. */
function checkKeys(principals: Cursor, { warn }: RuleContext): void {
  const owners = new Map<string, string>();
  for (const principal of principals.entries()) {
    const authid = principal.path.at(-1) ?? '';
    for (const key of principal.get('authorized_keys').items()) {
      const text = key.text()?.toLowerCase() ?? '';
      const owner = owners.get(text);
      if (owner === undefined) owners.set(text, authid);
      else warn(key.path, `this is also a key of ${quote(owner)}: a client that names no authid is taken for that one`);
    }
  }
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
