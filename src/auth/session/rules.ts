/** What is checked of the `session` method. */
import type { Place, RuleContext, Rules } from '../../schema/rules.js';

const MAX_SECRETS = 16;

/** A shorter secret can be found by trial. Express takes it all the same. */
const SAFE_SECRET_LENGTH = 16;

/** Rule of the section: somebody must check the cookies, and only browsers have one. */
export const checkSession: Rules = (section, { report, note, workers }) => {
  const { path } = section;
  const store = section.at('store', 'type').text();
  if (section.get('secrets').missing && store !== 'http') {
    report(
      path,
      '"secrets" is missing (only the store "http" does without: the web application checks the cookies there)',
    );
  }
  const transports = workers[Number(path[1])]?.get('transports').items() ?? [];
  const type = path[2] === 'transports' ? transports[Number(path[3])]?.get('type').text() : undefined;
  const by = WITHOUT_COOKIES.get(path[4] ?? '') ?? (isBelow(path) ? WITHOUT_COOKIES.get(type ?? '') : undefined);
  if (by !== undefined) note(path, `found on ${by}, where clients have no cookies, so nobody can join by it`);
};

/** Transports, and sections of the transport `universal`. */
const WITHOUT_COOKIES: ReadonlyMap<string, string> = new Map([
  ['rawsocket', 'a RawSocket'],
  ['mqtt', 'a transport of MQTT'],
]);

/** Whether it stands on the transport itself, and not on one of its paths. */
function isBelow(path: readonly string[]): boolean {
  return path[4] === 'auth' || (path[4] === 'options' && path[5] === 'auth');
}

/** Rule of the list of secrets. */
export const checkSecrets: Rules = (list, { report, warn, secretAt }) => {
  const secrets = list.items();
  if (secrets.length > MAX_SECRETS) {
    report(list.path, `found ${secrets.length} secrets (allowed: ${MAX_SECRETS} at most)`);
  }
  for (const place of secrets) {
    const secret = secretAt(place);
    if (secret === undefined || secret.length >= SAFE_SECRET_LENGTH) continue;
    warn(
      place.path,
      `the secret has fewer than ${SAFE_SECRET_LENGTH} characters: whoever sees a cookie can find it by trial, and is everybody then`,
    );
  }
};

/** Rule of the store `redis`. */
export const checkRedisStore: Rules = (store, context) => {
  const { report } = context;
  const url = urlAt(store.get('url'), context);
  if (url === null || (url !== undefined && !/^rediss?:$/.test(url.protocol))) {
    report(store.get('url').path, 'found no URL of Redis (allowed: redis://host:port/database, or rediss:// with TLS)');
  } else if (url !== undefined && !/^\/?[0-9]*$/.test(url.pathname)) {
    report(store.get('url').path, 'found something behind the host that is no database (allowed: a number)');
  }
  const tls = store.get('tls');
  if (url?.protocol === 'redis:' && tls.isObject) {
    report(tls.path, 'found beside a "url" without TLS (allowed: with "rediss://" only)');
  }
  const [certificate, key] = [tls.get('certificate'), tls.get('key')];
  if (certificate.missing !== key.missing) {
    report(tls.path, 'found one of "certificate" and "key" (allowed: both, or none)');
  }
};

/** @returns the URL at a place; undefined where there is none to be read, null for what is none. */
function urlAt(place: Place, { secretAt }: RuleContext): URL | undefined | null {
  const text = place.missing ? undefined : secretAt(place);
  return text === undefined ? undefined : URL.canParse(text) ? new URL(text) : null;
}

/** Rule of the store `http`. */
export const checkHttpStore: Rules = (store, { report, warn }) => {
  const place = store.get('url');
  const text = place.text();
  if (text === undefined || !/^https?:\/\//.test(text)) return;
  if (!URL.canParse(text)) return report(place.path, 'found no URL (allowed: one with http or https)');
  const { protocol, hostname } = new URL(text);
  if (protocol === 'https:' || /^(localhost|127\..*|\[::1\])$/.test(hostname)) return;
  warn(
    place.path,
    'the session cookies of all users go to another machine without TLS: who listens on the way is everybody then',
  );
};
