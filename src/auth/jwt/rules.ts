/** What is checked of the issuers of tokens. */
import type { Place, RuleContext, Rules } from '../../schema/rules.js';
import { SYMMETRIC } from './algorithms.js';

const KEY_SOURCES = ['jwks', 'keys', 'secret'];

/** Claims that a user or an administrator can change, or that somebody else may get later. */
const CHANGEABLE = new Set(['email', 'preferred_username', 'nickname', 'name', 'upn', 'unique_name']);

/** Rule of an issuer: where its keys come from, and that its algorithms fit them. */
export const checkIssuer: Rules = (issuer, context) => {
  if (!issuer.isObject) return;
  const named = KEY_SOURCES.filter((key) => !issuer.get(key).missing);
  const allowed = 'one of "jwks", "keys" and "secret"';
  if (named.length === 0) context.report(issuer.path, `found no keys of the issuer (allowed: ${allowed})`);
  for (const more of named.slice(1)) {
    context.report(issuer.get(more).path, `found beside ${JSON.stringify(named[0])} (allowed: ${allowed})`);
  }
  checkUrl(issuer.get('jwks'), context);
  checkAlgorithms(issuer, context);
  checkSecret(issuer, context);
  warnOfName(issuer, context);
};

function checkUrl(place: Place, { report }: RuleContext): void {
  const text = place.text();
  if (text === undefined || text === '') return;
  const fault = urlFault(text);
  if (fault !== undefined) {
    report(
      place.path,
      `${fault} (allowed: a URL that begins with "https://", or with "http://" and leads to this machine)`,
    );
  }
}

/** @returns what is wrong with the address of a key set; it is not shown, because there may be a password in it. */
function urlFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'found no URL';
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return 'found a URL with a password';
  if (protocol === 'https:' || (protocol === 'http:' && isThisMachine(hostname))) return undefined;
  return `found a URL with ${JSON.stringify(protocol)} to another machine, so anybody on the way could give other keys`;
}

/** @returns whether a host of a URL is this machine. */
function isThisMachine(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Whoever can read a public key must not be able to sign with it: the two kinds are never mixed (RFC 8725, section 2.1). */
function checkAlgorithms(issuer: Place, { report }: RuleContext): void {
  const hasSecret = !issuer.get('secret').missing;
  for (const place of issuer.get('algorithms').items()) {
    const name = place.text();
    if (name === undefined || Object.hasOwn(SYMMETRIC, name) === hasSecret) continue;
    const allowed = hasSecret ? Object.keys(SYMMETRIC).join(', ') : 'one with public keys, such as RS256, ES256, EdDSA';
    const where = hasSecret ? 'beside "secret"' : 'without "secret"';
    report(place.path, `found ${JSON.stringify(name)} ${where} (allowed: ${allowed})`);
  }
}

/** A short key can be guessed by whoever has one token. */
function checkSecret(issuer: Place, { report, secretAt }: RuleContext): void {
  const place = issuer.get('secret');
  const secret = secretAt(place);
  if (secret === undefined || secret === '') return;
  const listed = issuer
    .get('algorithms')
    .items()
    .map((item) => item.text() ?? '');
  const names = Object.keys(SYMMETRIC).filter((name) => listed.includes(name));
  const name = names.at(-1) ?? 'HS256';
  const needed = SYMMETRIC[name as keyof typeof SYMMETRIC];
  const octets = Buffer.byteLength(secret);
  if (octets < needed) report(place.path, `found ${octets} octets (allowed: ${needed} or more, for ${name})`);
}

function warnOfName(issuer: Place, { warn }: RuleContext): void {
  const place = issuer.get('authid');
  const name = place.text();
  if (name === undefined || !CHANGEABLE.has(name)) return;
  if (name === 'email' && issuer.at('require', 'email_verified').value === true) return;
  warn(
    place.path,
    `found ${JSON.stringify(name)}, which can change, and be given to somebody else (what stays: "sub")`,
  );
}

/** Rule of the list: `sub` says who somebody is at one issuer only, so users of two issuers must never share an `authid`. */
export const checkIssuers: Rules = (list, { report }) => {
  const issuers = list.items().filter((issuer) => issuer.isObject);
  const names = new Map<string, Place>();
  for (const issuer of issuers) {
    const place = issuer.get('issuer');
    const name = place.text();
    if (name === undefined) continue;
    const other = names.get(name);
    if (other !== undefined)
      report(place.path, `stands at /${other.path.join('/')} already (allowed: each issuer once)`);
    else names.set(name, place);
  }
  if (issuers.length > 1) checkPrefixes(issuers, report);
};

function checkPrefixes(issuers: readonly Place[], report: RuleContext['report']): void {
  const known: string[] = [];
  for (const issuer of issuers) {
    const place = issuer.get('authid_prefix');
    const prefix = place.missing ? '' : place.text();
    if (prefix === undefined) continue;
    const allowed = 'one that no other issuer has, and no other one begins with';
    if (prefix === '') {
      const at = place.missing ? issuer : place;
      report(
        at.path,
        `found no "authid_prefix" beside another issuer, so their users could share an authid (allowed: ${allowed})`,
      );
    } else if (known.some((other) => other.startsWith(prefix) || prefix.startsWith(other))) {
      report(
        place.path,
        `found ${JSON.stringify(prefix)}, which does not keep the users of two issuers apart (allowed: ${allowed})`,
      );
    } else known.push(prefix);
  }
}
