/** A login at a provider of OpenID Connect: a real one, and what a broken or hostile one may answer. */
import { afterEach, describe, expect, test } from 'vitest';
import { LoginSite, oidcConfig } from '../support/login-site.js';
import type { LoginSiteOptions } from '../support/login-site.js';
import { OpenIdProvider } from '../support/openid-provider.js';
import { Visitor } from '../support/visitor.js';
import type { OidcProviderConfig } from '../../src/webservice/login/providers/schema.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface World {
  readonly site: LoginSite;
  readonly provider: OpenIdProvider;
  readonly visitor: Visitor;
}

async function world(parts: Partial<OidcProviderConfig> = {}, options: Partial<LoginSiteOptions> = {}): Promise<World> {
  const provider = await OpenIdProvider.start();
  cleanups.push(() => provider.close());
  const site = await LoginSite.start({ providers: () => ({ id: oidcConfig(provider.issuer, parts) }), ...options });
  cleanups.push(() => site.stop());
  provider.serve({
    redirect_uris: [site.url('id/callback')],
    backchannel_logout_uri: site.url('id/backchannel'),
    backchannel_logout_session_required: true,
  });
  return { site, provider, visitor: new Visitor() };
}

describe('a login', () => {
  test('ends in a new cookie', async () => {
    const { site, visitor } = await world();
    const callback = await visitor.followUntil(site.url('id/start?return_to=/page'), site.url('id/callback'));
    const response = await visitor.get(callback);
    expect([response.status, response.headers.get('location')]).toEqual([303, `${site.origin}/page`]);
    expect(await site.whoIs(visitor.header(site.origin))).toMatchObject({ authid: 'id:joe' });
  });
});
