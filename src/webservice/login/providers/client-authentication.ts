/** How the node proves to a provider who it is. The default of the library is another one than that of the standard. */
import { ClientSecretBasic, ClientSecretPost, None } from 'openid-client';
import type { ClientAuth } from 'openid-client';
import type { ProviderConfig } from './schema.js';

export function clientAuthenticationOf({
  client_authentication: how,
  client_secret: secret,
}: ProviderConfig): ClientAuth {
  if (how === 'none') return None();
  return how === 'client_secret_post' ? ClientSecretPost(secret) : ClientSecretBasic(secret);
}
