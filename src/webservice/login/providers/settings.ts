/** What the config says of one provider, beside how it is asked. Pure. */
import { credentialMark } from '../../../auth/credential.js';
import type { MappingConfig } from '../../../auth/mapping/schema.js';
import type { CookieAuth, LoginFault } from '../../../cookie/store.js';
import type { ProvidersDeps } from '../providers-type.js';
import type { ProviderConfig } from './schema.js';

export interface ProviderSettings {
  readonly name: string;
  /** The realm that its users join. */
  readonly realm: string;
  /** The origin of the site, without a slash at the end. */
  readonly publicUrl: string;
  /** Where the browser goes by default. */
  readonly returnTo: string;
  /** Whether browsers come over TLS. */
  readonly secure: boolean;
  readonly mapping: MappingConfig;
  /** The mark of the issuer and of our name there: logins of others do not count. */
  readonly credential: string;
}

/** @param issuer who vouches. */
export function settingsOf(
  name: string,
  config: ProviderConfig,
  issuer: string,
  { realm, publicUrl, returnTo, cookie }: Pick<ProvidersDeps, 'realm' | 'publicUrl' | 'returnTo' | 'cookie'>,
): ProviderSettings {
  return {
    name,
    realm,
    publicUrl,
    returnTo,
    secure: cookie.secure ?? publicUrl.startsWith('https:'),
    mapping: { ...config, authid_prefix: config.authid_prefix ?? `${name}:` },
    credential: credentialMark(config.type, name, JSON.stringify([issuer, config.client_id])),
  };
}

/** @returns what is wrong with a login that the provider made; undefined when it would make it today. */
export function faultOfLogin(
  login: CookieAuth,
  { mapping, realm, credential }: ProviderSettings,
): LoginFault | undefined {
  if (login.credential !== credential) return 'another credential';
  const isOfUser = login.authid.startsWith(mapping.authid_prefix ?? '') && login.authrealm === realm;
  return isOfUser && rolesOf(mapping).includes(login.authrole) ? undefined : 'no such principal';
}

function rolesOf({ role }: MappingConfig): readonly (string | undefined)[] {
  return typeof role === 'string' ? [role] : [...Object.values(role.map), role.default];
}
