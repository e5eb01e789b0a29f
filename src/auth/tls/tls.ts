/**
 * TLS authentication: the TLS handshake has verified the certificate of the client, so there is no challenge. A client without a
 * certificate is passed on to the next method of its list.
 */
import { createAsking } from '../dynamic/asking.js';
import { credentialFault, credentialMark } from '../credential.js';
import { accept, denied } from '../verdict.js';
import type { DynamicConfig, FunctionConfig } from '../dynamic/schema.js';
import type { AuthDeps, AuthMethod, AuthMethodType, ClientCertificate, Pass } from '../method.js';
import type { TlsAuthConfig, TlsPrincipal } from './schema.js';

const PASS: Pass = { type: 'pass' };

export const tls: AuthMethodType<TlsAuthConfig | DynamicConfig | FunctionConfig> = {
  type: 'tls',
  create: (config, deps) => (config.type === 'static' ? fixed(config, deps) : asking(config, deps)),
};

function fixed({ principals }: TlsAuthConfig, { uris }: AuthDeps): AuthMethod {
  const known = new Map(Object.entries(principals));
  return {
    start({ realm, authid: asked }, { client }) {
      const certificate = client.tls?.certificate;
      if (certificate === undefined) return PASS;
      const found = [...known].find(([, principal]) => fits(principal, certificate));
      if (found === undefined) return denied(uris);
      const [authid, principal] = found;
      if (asked !== undefined && asked !== authid) return denied(uris);
      const { role: authrole } = principal;
      const credential = markOf(authid, principal);
      return accept({ realm, authid, authrole, authmethod: 'tls', authprovider: 'static', credential });
    },

    faultOf(login) {
      const { authid, authrole } = login;
      const found = known.get(authid);
      if (found?.role !== authrole) return 'no such principal';
      return credentialFault(login, [markOf(authid, found)]);
    },
  };
}

/** The authenticator gets the certificate, and decides. */
async function asking(config: DynamicConfig | FunctionConfig, deps: AuthDeps): Promise<AuthMethod> {
  const ask = await createAsking(config, deps);
  return {
    start(request, context) {
      const certificate = context.client.tls?.certificate;
      if (certificate === undefined) return PASS;
      // The name in the certificate is proven; the authid that the client asks for is not.
      return ask({ request, context, authid: certificate.commonName ?? certificate.sha256 }, accept);
    },
  };
}

function markOf(authid: string, principal: TlsPrincipal): string {
  const { 'certificate-sha1': short = '', 'certificate-sha256': long = '' } = principal;
  return credentialMark('tls', authid, `${plain(short)} ${plain(long)}`);
}

function fits(principal: TlsPrincipal, { sha1, sha256 }: ClientCertificate): boolean {
  const { 'certificate-sha1': short, 'certificate-sha256': long } = principal;
  if (short === undefined && long === undefined) return false;
  return (short === undefined || isSame(short, sha1)) && (long === undefined || isSame(long, sha256));
}

function isSame(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toUpperCase();
}
