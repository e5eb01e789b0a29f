/** Where the browser goes after a login: never to another site. Pure. */

/** What a URL may have as characters, as it comes and as it goes. */
const MAX_LENGTH = 2048;

/**
 * @param asked what the page asked for: a path, or a URL of the site.
 * @param publicUrl of the config.
 * @param fallback a path of the site, for what is missing or leads elsewhere.
 * @returns an absolute URL of the site. Its path begins with one slash: some would take two for another host.
 */
export function returnTo(asked: string | null, publicUrl: string, fallback: string): string {
  return (
    (asked === null ? undefined : onSite(asked, publicUrl)) ?? onSite(fallback, publicUrl) ?? `${originOf(publicUrl)}/`
  );
}

function onSite(asked: string, publicUrl: string): string | undefined {
  if (asked.length > MAX_LENGTH || !URL.canParse(asked, publicUrl)) return undefined;
  const { protocol, origin, username, password, pathname, search, hash } = new URL(asked, publicUrl);
  // A `blob:` URL has the origin of the page that made it.
  if (origin !== originOf(publicUrl) || !publicUrl.startsWith(protocol)) return undefined;
  if (username !== '' || password !== '') return undefined;
  // `/.//evil.example` has no dots any more here.
  const url = `${origin}${pathname.replace(/^\/{2,}/, '/')}${search}${hash}`;
  return url.length > MAX_LENGTH ? undefined : url;
}

function originOf(url: string): string {
  return new URL(url).origin;
}

/** Why a login came to nothing, as pages get it in `login_error`. */
const LOGIN_ERRORS: ReadonlySet<string> = new Set([
  'access_denied',
  'account_selection_required',
  'consent_required',
  'interaction_required',
  'login_required',
  'server_error',
  'temporarily_unavailable',
]);

/**
 * @param url of {@link returnTo}.
 * @param error what the provider says (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6). Of words that are not
 *   known the page gets `login_failed`.
 */
export function withLoginError(url: string, error: string): string {
  const target = new URL(url);
  target.searchParams.set('login_error', LOGIN_ERRORS.has(error) ? error : 'login_failed');
  return target.href;
}
