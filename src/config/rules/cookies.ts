/** The rules between the keys of a `cookie` section, between sections that share a store, and for WebSockets with cookies. */
import { isIP } from 'node:net';

import type { Report } from '../../schema/rules.js';
import { Cursor } from '../cursor.js';
import { cookiesOf, entrancesOf, knowsBrowsers, storePlaceOf } from '../places.js';
import type { CookieSection, Entrance, NodePlaces } from '../places.js';
import type { CheckRulesContext } from './context.js';
import { quote } from '../schema-words.js';
import { findSecret } from '../secrets.js';

export function checkCookies(places: NodePlaces, context: CheckRulesContext): void {
  for (const { cookie } of cookiesOf(places)) {
    checkCookie(cookie, context);
    noteInsecure(cookie, places, context);
    warnUnseen(cookie, places, context);
  }
  for (const entrance of entrancesOf(places)) {
    if (knowsBrowsers(entrance)) checkOrigins(entrance, context);
  }
  checkSharedStores(places, context);
}

/** A shorter secret can be found by trial. */
const MIN_SECRET_LENGTH = 16;

/** Characters of 6 bits each, 132 bits together: too many to guess, however many cookies there are. Crossbar.io's default has 144. */
const SAFE_LENGTH = 22;

function checkCookie(cookie: Cursor, context: CheckRulesContext): void {
  const { report } = context;
  checkLength(cookie.get('length'), context);
  checkDomain(cookie.get('domain'), context);
  for (const secret of cookie.get('secrets').items()) {
    const found = findSecret(secret, context)?.secret;
    if (found !== undefined && found.length < MIN_SECRET_LENGTH) {
      report(secret.path, `found a secret that is too short (allowed: ${MIN_SECRET_LENGTH} characters or more)`);
    }
  }
  checkPrefix(cookie, report);
  const strict = cookie.get('http_strict');
  const only = cookie.get('http_only');
  if (typeof strict.value === 'boolean' && typeof only.value === 'boolean' && strict.value !== only.value) {
    report(
      strict.path,
      `found ${strict.value} beside "http_only": ${only.value} (allowed: the same value, they are two names of one switch)`,
    );
  }
}

/** Browsers take `SameSite=None` only of a cookie that is `Secure`. */
function noteInsecure(cookie: Cursor, places: NodePlaces, { note }: CheckRulesContext): void {
  const sameSite = cookie.get('same_site');
  if (sameSite.value !== 'None' || isSecure(cookie, transportAround(cookie, places))) return;
  note(sameSite.path, 'found "None" without "secure": true: browsers drop such a cookie, so none is recognised');
}

/** A proxy that terminates TLS mostly runs on the same machine. Browsers themselves take http on loopback for secure. */
function warnUnseen(cookie: Cursor, places: NodePlaces, { warn }: CheckRulesContext): void {
  const secure = cookie.get('secure');
  const endpoint = transportAround(cookie, places).get('endpoint');
  if (secure.value !== true || !endpoint.isObject || endpoint.get('port').missing) return;
  if (endpoint.get('tls').isObject || isLoopback(endpoint.get('interface').text())) return;
  warn(
    secure.path,
    'found true on a transport without TLS: browsers that come by plain http drop the cookie, so only those behind a proxy that terminates TLS are recognised (where it runs on this machine, "interface": "127.0.0.1" keeps all others out)',
  );
}

/** @returns the transport that a `cookie` section stands in. */
function transportAround({ path }: Cursor, { workers }: NodePlaces): Cursor {
  return workers[Number(path[1])]?.transports[Number(path[3])] ?? new Cursor(undefined);
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(localhost|127\..*|::1)$/.test(address);
}

/** @returns whether the cookie has the attribute `Secure` at this transport. */
function isSecure(cookie: Cursor, transport: Cursor): boolean {
  const secure = cookie.get('secure');
  return secure.missing ? transport.at('endpoint', 'tls').isObject : secure.value === true;
}

function checkLength(place: Cursor, { warn }: CheckRulesContext): void {
  const length = place.number();
  if (length === undefined || length >= SAFE_LENGTH || length < 1) return;
  const bits = 6 * length;
  warn(
    place.path,
    `found ${length}: an id has ${bits} random bits then, so 2^${bits} guesses find a given one, and fewer the more cookies there are (${SAFE_LENGTH} characters or more are safe)`,
  );
}

/** Browsers take a name without a dot inside for a public suffix, and an address has no subdomains. */
function checkDomain(place: Cursor, { report }: CheckRulesContext): void {
  const domain = place.text()?.replace(/^\./, '');
  if (domain === undefined || domain === '' || domain === 'localhost') return;
  const isAddress = isIP(domain) !== 0;
  if (domain.includes('.') && !isAddress) return;
  const why = isAddress ? 'an address has no subdomains' : 'it would be for everybody below it';
  report(
    place.path,
    `found ${shown(place)}, which browsers take from nobody, because ${why} (allowed: a domain name with a dot inside, or leave it out)`,
  );
}

/** A prefix of the name demands certain attributes: without them browsers drop the cookie. */
function checkPrefix(cookie: Cursor, report: Report): void {
  const [prefix] = /^__(?:Host|Secure)-/.exec(cookie.get('name').text() ?? '') ?? [];
  if (prefix === undefined) return;
  const refuse = (place: Cursor, found: string, allowed: string): void =>
    report(
      place.missing ? cookie.path : place.path,
      `found ${found} beside a "name" with ${quote(prefix)} (allowed: ${allowed}, because browsers drop such a cookie otherwise)`,
    );
  const [secure, path, domain] = [cookie.get('secure'), cookie.get('path'), cookie.get('domain')];
  if (secure.value !== true) refuse(secure, shown(secure), '"secure": true');
  if (prefix !== '__Host-') return;
  if (!path.missing && path.value !== '/') refuse(path, shown(path), '"/"');
  if (!domain.missing) refuse(domain, shown(domain), 'no "domain"');
}

/** Patterns that every page matches, whatever its port. */
const EVERY_ORIGIN = /^(?:\*|(?:\*|https?):\/\/\*)(?::\*)?$/;

/** Pages of other sites can open WebSockets with the visitor's cookies. Only the origin tells them apart. */
function checkOrigins(
  { place, options, cookie, open, transport }: Entrance,
  { report, warn }: CheckRulesContext,
): void {
  const origins = options.get('allowed_origins');
  const sameSite = cookie.get('same_site');
  if (sameSite.value === 'None' && isSecure(cookie, transport) && origins.missing) {
    report(
      options.missing ? place.path : options.path,
      `"allowed_origins" is missing, but ${pointer(sameSite)} is "None", so browsers send the cookie from every site (allowed: a list of the origins that are meant)`,
    );
  }
  for (const origin of origins.items()) {
    if (!EVERY_ORIGIN.test(origin.text() ?? '')) continue;
    warn(origin.path, `${quote(origin.text() ?? '')} lets pages of every site act for a visitor with a cookie`);
  }
  const authid = cookie.get('authid');
  const login = open.find(({ schema }) => schema.letsIn === 'cookies');
  if (authid.value === 'cookie' && login !== undefined) {
    warn(authid.path, `"cookie" shows to other sessions what ${pointer(login.place)} takes for a password`);
  }
}

/** Sections that name the same file or database share its cookies, so they must agree on how these are made and read. */
function checkSharedStores(places: NodePlaces, { cbdir, report }: CheckRulesContext): void {
  const first = new Map<string, CookieSection>();
  for (const section of cookiesOf(places)) {
    const place = storePlaceOf(section, cbdir);
    if (place === undefined) continue;
    const other = first.get(place);
    if (other === undefined) first.set(place, section);
    else compareStores(section, other, report);
  }
}

/** The keys on which sections with one store must agree, besides those of the store. */
const SHARED = ['name', 'length', 'sliding', 'idle_timeout', 'max_unreturned', 'close_expired'];

function compareStores(
  { cookie, agreed, secrets }: CookieSection,
  { cookie: other, agreed: more }: CookieSection,
  report: Report,
): void {
  const ofStore = [...new Set([...agreed, ...more])]
    .filter((key) => !secrets.includes(key))
    .map((key) => ['store', key]);
  for (const keys of [...SHARED.map((key) => [key]), ...ofStore]) {
    const [here, there] = [cookie.at(...keys), other.at(...keys)];
    if (JSON.stringify(here.value) === JSON.stringify(there.value)) continue;
    report(
      here.missing ? cookie.path : here.path,
      `found ${shown(here)}, but ${pointer(other)} keeps its cookies in the same place with ${shown(there)} (allowed: the same value, or another place)`,
    );
  }
  compareSecrets(cookie, other, ['secrets'], report);
  for (const key of secrets) compareSecrets(cookie, other, ['store', key], report);
}

/** As for other keys, but nothing is shown. */
function compareSecrets(cookie: Cursor, other: Cursor, keys: readonly string[], report: Report): void {
  const [here, there] = [cookie.at(...keys), other.at(...keys)];
  if (JSON.stringify(here.value) === JSON.stringify(there.value)) return;
  const [name = '', are] = [keys.at(-1), keys.at(-1)?.endsWith('s') === true ? 'are not those' : 'is not that'];
  report(
    here.missing ? cookie.path : here.path,
    `the "${name}" ${are} of ${pointer(other)}, which keeps its cookies in the same place (allowed: the same, or another place)`,
  );
}

/** @returns the value as JSON, or the name of the missing key. */
function shown(place: Cursor): string {
  return place.missing ? `no ${quote(place.path.at(-1) ?? '')}` : JSON.stringify(place.value);
}

function pointer({ path }: Cursor): string {
  return `/${path.join('/')}`;
}
