/**
 * The two halves of a transport whose connections are in fronts. They have the same shape, and a section of one has the name of the
 * same section of the other: its JSON Pointer.
 *
 *     at a front      the endpoint, HTTP and what needs no router. It has no secrets of logins and cookies
 *     at the router   all but the endpoint, in whose place a socket file stands: logins, cookies, and who may come
 */

/** Both. */
export interface Halves<C extends object> {
  readonly atFront: C;
  readonly atRouter: C;
}

/** What a front has alone: nothing of it needs the router. */
export interface FrontOnly<C extends object> {
  readonly atFront: C;
  readonly atRouter?: undefined;
}

/** @returns a transport whose clients have no sessions. */
export function frontOnly<C extends object>(atFront: C): FrontOnly<C> {
  return { atFront };
}

/** Of a place of WAMP, these count at the router, for all fronts together: at a front they are 0, which is no limit. */
const AT_ROUTER = ['max_connections', 'max_unauthenticated', 'max_unauthenticated_per_address'];

/** And these at the front. */
const AT_FRONT = ['auto_ping_interval'];

/** The sections that stay with the router. */
const SECRET = new Set(['auth', 'cookie']);

/** @param transport a place of WAMP. @param socket the file at which the router takes what the front does not serve. */
export function halvesOf<C extends object>(transport: C, socket: string): Halves<C> {
  const { atFront, atRouter } = placeHalves(transport);
  return { atFront, atRouter: { ...atRouter, endpoint: routerEndpoint(socket) } };
}

/** @returns the halves of a place of WAMP, whose connections a front has: a transport, a path, or a section of a transport. */
export function placeHalves<C extends object>(place: C): Halves<C> {
  return { atFront: zeroed(withoutSecrets(place), AT_ROUTER), atRouter: zeroed(place, AT_FRONT) };
}

/** @returns where the router takes requests of fronts. @param socket a file in a directory that nobody else can look into */
export function routerEndpoint(socket: string) {
  return { type: 'unix', path: socket, mode: '0600', backlog: 4096 } as const;
}

/** @returns a section as a front may know it. */
export function withoutSecrets<C extends object>(section: C): C {
  return Object.fromEntries(Object.entries(section).filter(([key]) => !SECRET.has(key))) as C;
}

/** @returns all sections of a half, and their names. */
export function sectionNames(half: object): ReadonlyMap<object, string> {
  const names = new Map<object, string>();
  const walk = (value: unknown, name: string): void => {
    if (typeof value !== 'object' || value === null) return;
    names.set(value, name);
    for (const [key, below] of Object.entries(value)) walk(below, `${name}/${key}`);
  };
  walk(half, '');
  return names;
}

/** @returns a half of the router without what is no place of WAMP: the services of paths. */
export function placesOnly<C extends object>(half: C): C {
  return Object.fromEntries(
    Object.entries(half).map(([key, value]: [string, unknown]) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [key, value];
      if (key !== 'paths') return [key, SECRET.has(key) ? value : placesOnly(value)];
      const kept = Object.entries(value as Readonly<Record<string, PathSection>>).filter(([, { type }]) =>
        PLACES.has(type),
      );
      return [key, Object.fromEntries(kept.map(([path, section]) => [path, placesOnly(section)]))];
    }),
  ) as C;
}

interface PathSection {
  readonly type: string;
}

/** The path services that are places of WAMP for connections, or have such below them. */
const PLACES: ReadonlySet<string> = new Set(['websocket', 'path']);

/** @returns the section with these of its options 0. */
function zeroed<C extends object>(section: C, names: readonly string[]): C {
  const { options = {} } = section as { readonly options?: Readonly<Record<string, unknown>> };
  const zeros = names.filter((name) => typeof options[name] === 'number').map((name) => [name, 0]);
  return { ...section, options: { ...options, ...(Object.fromEntries(zeros) as object) } };
}
