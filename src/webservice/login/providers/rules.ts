/** What is checked of the providers of a login, beyond what the schema can say. */
import type { Place, RuleContext, Rules } from '../../../schema/rules.js';
import { isLoopbackHost } from './loopback.js';

const URL_KEYS = ['issuer', 'authorization_endpoint', 'token_endpoint', 'userinfo'];

/** Rule of a provider. */
export const checkProvider: Rules = (provider, context) => {
  for (const key of URL_KEYS) checkUrl(provider.get(key), context);
  checkSecret(provider, context);
  checkScope(provider, context);
};

/** Rule of all providers: no two of them make one user of two people. */
export const checkProviders: Rules = (providers, { report }) => {
  const all = providers.entries().filter(({ isObject }) => isObject);
  for (const [index, one] of all.entries()) {
    const other = all.slice(0, index).find((earlier) => mayShareUsers(earlier, one));
    if (other === undefined) continue;
    report(
      one.path,
      `found users who begin with ${JSON.stringify(prefixOf(one))}, as those of ${JSON.stringify(other.path.at(-1))} may (allowed: an "authid_prefix" of its own)`,
    );
  }
};

function mayShareUsers(one: Place, other: Place): boolean {
  const issuer = one.get('issuer').text();
  if (issuer !== undefined && issuer === other.get('issuer').text()) return false;
  const [first, second] = [prefixOf(one), prefixOf(other)];
  return first.startsWith(second) || second.startsWith(first);
}

function prefixOf(provider: Place): string {
  return provider.get('authid_prefix').text() ?? `${provider.path.at(-1) ?? ''}:`;
}

function checkUrl(place: Place, { report }: RuleContext): void {
  const text = place.text();
  if (text === undefined) return;
  const fault = faultOfUrl(text);
  if (fault === undefined) return;
  report(place.path, `found ${fault} (allowed: an https URL without user and fragment; http only for localhost)`);
}

/** @returns what is wrong with the URL of a provider, without the URL, which may hold a password. */
function faultOfUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return 'text that is no URL';
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== '' || password !== '') return 'a URL with a user';
  if (hash !== '') return 'a URL with a fragment';
  return protocol === 'http:' && !isLoopbackHost(hostname)
    ? 'http, which anybody on the way can read and change'
    : undefined;
}

function checkSecret(provider: Place, { report }: RuleContext): void {
  const [secret, how] = [provider.get('client_secret'), provider.get('client_authentication')];
  const needsSecret = how.value !== 'none';
  if (needsSecret && secret.missing) {
    report(provider.path, 'missing key "client_secret" (allowed: one, or "client_authentication": "none")');
  }
  if (!needsSecret && !secret.missing) {
    report(secret.path, 'found a secret beside "client_authentication": "none" (allowed: no secret)');
  }
}

/** Without it there is no ID token. */
function checkScope(provider: Place, { report }: RuleContext): void {
  const scope = provider.get('scope');
  if (provider.get('type').value !== 'oidc' || scope.missing) return;
  if (scope.items().some(({ value }) => value === 'openid')) return;
  report(scope.path, 'found no "openid" (allowed: scopes with "openid")');
}
