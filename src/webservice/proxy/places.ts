/**
 * Paths of the backend and our own: what is asked for below the path of a service is asked for below the path of the backend, and the
 * other way round in what the backend tells of its own paths. Pure.
 */

/** One service in front of one backend. */
export class Places {
  /** Path of the service, without a slash at its end; empty for `/`. */
  readonly #mount: string;
  /** Path of the backend, likewise. */
  readonly #base: string;
  /** As it is written. */
  readonly #path: string;
  readonly #origin: URL;

  /**
   * @param mount where the service is, as in `WebRequest`.
   * @param path of the backend, begins with `/`.
   * @param origin of the backend: `http://host:port`.
   */
  constructor(mount: string, path: string, origin: string) {
    this.#mount = withoutSlash(mount);
    this.#path = path;
    this.#base = withoutSlash(path);
    this.#origin = new URL(origin);
  }

  /** @returns the request target for the backend. @param rest the path below the service, percent-encoded. */
  target(rest: string, query: string): string {
    return `${rest === '' ? this.#path : `${this.#base}${rest}`}${query}`;
  }

  /** @returns `Location` of the backend, as browsers have to see it. What leads elsewhere stays as it is. */
  location(value: string): string {
    const isAbsolute = /^(?:https?:)?\/\//i.test(value);
    if (!isAbsolute) return value.startsWith('/') ? (this.#ours(value) ?? value) : value;
    if (!URL.canParse(value, this.#origin.href)) return value;
    const url = new URL(value, this.#origin.href);
    if (url.host !== this.#origin.host || url.username !== '') return value;
    return this.#ours(`${url.pathname}${url.search}${url.hash}`) ?? value;
  }

  /** @returns the path of a cookie of the backend, as browsers have to see it. */
  cookiePath(path: string): string {
    const ours = this.#ours(path);
    if (ours !== undefined) return ours.length > 1 ? withoutSlash(ours) || '/' : ours;
    // It holds for more than what can be seen of the backend here.
    return `${this.#base}/`.startsWith(path.endsWith('/') ? path : `${path}/`) ? this.#mount || '/' : path;
  }

  isBackendHost(name: string): boolean {
    return name.toLowerCase() === this.#origin.hostname;
  }

  /** @param path of the backend, perhaps with a query. @returns undefined for one that is not below ours. */
  #ours(path: string): string | undefined {
    const rest = path.slice(this.#base.length);
    if (!path.startsWith(this.#base) || !/^(?:[/?#]|$)/.test(rest)) return undefined;
    const ours = `${this.#mount}${rest}`;
    // Two slashes at the beginning would be the name of a host.
    return ours.startsWith('/') ? ours.replace(/^\/{2,}/, '/') : `/${ours}`;
  }
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}
