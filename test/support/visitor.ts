/** A browser without a window: it keeps cookies by host and path, and follows redirects one by one. */

interface Kept {
  readonly value: string;
  readonly path: string;
  /** The whole `Set-Cookie`. */
  readonly line: string;
}

export class Visitor {
  // host, name and path -> cookie
  readonly #cookies = new Map<string, Kept & { readonly host: string; readonly name: string }>();

  /** Asks for one URL, and follows nothing. */
  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return this.send(url, { headers });
  }

  /** As `fetch`, with the cookies. */
  async send(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const cookie = this.header(url);
    if (cookie !== '' && !headers.has('cookie')) headers.set('cookie', cookie);
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#keep(line, url);
    return response;
  }

  /** Follows redirects until a URL begins with `until`, which is not asked for. @returns that URL. */
  async followUntil(url: string, until: string): Promise<string> {
    let at = url;
    for (let hops = 0; hops < 12; hops++) {
      if (at.startsWith(until)) return at;
      const response = await this.get(at);
      const next = response.headers.get('location');
      if (next === null) throw new Error(`${at} leads nowhere: ${response.status} ${await response.text()}`);
      await response.body?.cancel();
      at = new URL(next, at).href;
    }
    throw new Error(`${url} never leads to ${until}`);
  }

  /** The `Cookie` header for a URL. */
  header(url: string): string {
    const { hostname, pathname } = new URL(url);
    return [...this.#cookies.values()]
      .filter(
        ({ host, path }) =>
          host === hostname && (pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)),
      )
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  /** The cookies of a host whose name begins so. */
  cookies(host: string, prefix = ''): { readonly name: string; readonly value: string; readonly line: string }[] {
    return [...this.#cookies.values()].filter((each) => each.host === host && each.name.startsWith(prefix));
  }

  #keep(line: string, url: string): void {
    const { hostname, pathname } = new URL(url);
    const [pair = '', ...attributes] = line.split(';');
    const name = pair.slice(0, pair.indexOf('=')).trim();
    const given = attributes.map((each) => each.trim()).find((each) => /^path=/i.test(each));
    const path = given?.slice('path='.length) ?? (pathname.slice(0, pathname.lastIndexOf('/')) || '/');
    const key = `${hostname} ${name} ${path}`;
    this.#cookies.delete(key);
    const isGone = /max-age=0\b/i.test(line) || /expires=thu, 01 jan 1970/i.test(line);
    if (!isGone) this.#cookies.set(key, { host: hostname, name, value: pair.slice(pair.indexOf('=') + 1), path, line });
  }
}
