/** What is checked of a `login` service beyond what the schema can say. */
import type { Path, Place, RuleContext, Rules } from '../../schema/rules.js';

export const checkLogin: Rules = (service, context) => {
  checkCookie(service, context);
  checkOrigins(service, context);
  checkRoles(service, context);
  const { report, warn } = context;
  const [ways, providers] = [service.get('auth').entries(), service.get('providers').entries()];
  if (ways.length === 0 && providers.length === 0) {
    report(service.path, 'nobody can log in here (allowed: at least one method in "auth", or one of the "providers")');
  }
  if (providers.length > 0) checkForProviders(service, context);
  const webSockets = webSocketsBeside(service, context);
  if (service.at('options', 'ticket').value === true && !webSockets.some(({ auth }) => !auth.get('one_time').missing)) {
    report(
      service.at('options', 'ticket').path,
      'found true, but no WebSocket of the worker takes one-time tickets (allowed: true beside an "auth.one_time")',
    );
  }
  const cookie = context.inForce('cookie');
  const isOfUse = webSockets.some((one) => !one.auth.get('cookie').missing && isSameStore(one.cookie, cookie));
  if (!isOfUse && !cookie.missing) {
    warn(
      service.path,
      'no WebSocket of the worker has "auth.cookie" and the cookies of this login, so no browser that logged in here is let in',
    );
  }
};

function checkCookie(service: Place, { inForce, report }: RuleContext): void {
  if (!inForce('cookie').missing) return;
  report(service.path, 'found without a "cookie" section for this path (allowed: one, here or at the transport)');
}

/** Browsers write an origin in one way only, and it is compared letter by letter. */
function checkOrigins(service: Place, { report }: RuleContext): void {
  for (const place of [service.get('public_url'), ...service.at('options', 'allowed_origins').items()]) {
    const text = place.text();
    if (text === undefined || !/^https?:/.test(text)) continue;
    const origin = URL.canParse(text) ? new URL(text).origin : undefined;
    if (origin === text) continue;
    const meant = origin === undefined ? 'an origin such as "https://example.com"' : JSON.stringify(origin);
    report(place.path, `found a URL that is no origin as browsers write it (allowed: ${meant})`);
  }
}

/** Every role of a principal must be one of the realm, or such a login would be made and never count. */
function checkRoles(service: Place, { realms, report }: RuleContext): void {
  const name = service.get('realm').text();
  const realm = realms.find((each) => each.get('name').value === name);
  if (realm === undefined) return;
  const known = realm
    .get('roles')
    .items()
    .flatMap((role) => role.get('name').text() ?? []);
  const users = [...service.at('auth', 'jwt', 'issuers').items(), ...service.get('providers').entries()];
  for (const { path, given } of [...principalRoles(service), ...mappedRoles(users)]) {
    if (given === undefined || known.includes(given)) continue;
    report(
      path,
      `the realm ${JSON.stringify(name)} does not have a role ${JSON.stringify(given)} (allowed: ${known.map((each) => JSON.stringify(each)).join(', ') || 'none, there are none yet'})`,
    );
  }
}

interface WrittenRole {
  readonly path: Path;
  readonly given: string | undefined;
}

function principalRoles(service: Place): WrittenRole[] {
  return service
    .at('auth', 'ticket', 'principals')
    .entries()
    .map((principal) => {
      const role = principal.get('role');
      return role.missing ? { path: principal.path, given: 'anonymous' } : { path: role.path, given: role.text() };
    });
}

/** @param sources where users come from. @returns the roles of those that name no realm of their own. */
function mappedRoles(sources: readonly Place[]): WrittenRole[] {
  return sources
    .filter((source) => source.get('realm').missing)
    .map((source) => source.get('role'))
    .flatMap((role) => [role, ...role.get('map').entries(), role.get('default')])
    .map((role) => ({ path: role.path, given: role.text() }));
}

function checkForProviders(service: Place, { inForce, report, warn }: RuleContext): void {
  const providers = service.get('providers');
  if (service.get('public_url').missing) {
    report(providers.path, 'found without "public_url", where providers send browsers back to (allowed: both)');
  }
  const cookie = inForce('cookie');
  if (!cookie.missing && cookie.get('secrets').missing) {
    warn(
      providers.path,
      'found without "secrets" of the cookie, which seal what a browser keeps while it is at a provider: logins under way end with a restart of the node',
    );
  }
  if (cookie.get('same_site').value === 'Strict') {
    warn(
      cookie.get('same_site').path,
      'found "Strict" beside "providers" of a login: the page to which a provider leads comes without the cookie, and where pages have cookies it gets a new one, so that the login is lost ("Lax" is safe here)',
    );
  }
}

/** A WebSocket, or what else has an `auth` section. */
interface Beside {
  readonly auth: Place;
  /** The section in force there. */
  readonly cookie: Place;
}

/** @returns the WebSockets of the worker around a service. */
function webSocketsBeside({ path }: Place, { workers }: RuleContext): Beside[] {
  const worker = workers[Number(path[1])];
  const found: Beside[] = [];
  const visit = (place: Place, above: Place): void => {
    if (!place.isObject) return;
    const cookie = place.get('cookie').missing ? above : place.get('cookie');
    const auth = place.get('auth');
    if (!auth.missing && place.get('type').value !== 'login') found.push({ auth, cookie });
    for (const child of place.get('paths').entries()) visit(child, cookie);
    const web = place.get('web');
    visit(web, cookie);
    for (const child of place.get('websocket').entries()) visit(child, web.get('cookie'));
  };
  for (const transport of worker?.get('transports').items() ?? []) visit(transport, transport.get('cookie'));
  return found;
}

/** A store in memory belongs to one section; the others are known by their place. */
function isSameStore(one: Place, other: Place): boolean {
  if (one.missing || other.missing) return false;
  if (one.path.join('/') === other.path.join('/')) return true;
  const [here, there] = [one, other].map((cookie) => placeOf(cookie.get('store')));
  return here !== undefined && here === there;
}

function placeOf(store: Place): string | undefined {
  return store.get('filename').text() ?? store.get('path').text() ?? store.get('bucket').text();
}
