/**
 * TLS authentication: the client has shown its certificate, and that it has the key to it, before it said a word. There is
 * nothing to ask; a client without a certificate is passed on to the next method of its list.
 */
import { accept, denied } from './verdict.js';
import type { AuthMethod, AuthMethodType, ClientCertificate, Pass } from './method.js';
import type { TlsAuthConfig, TlsPrincipal } from './tls-schema.js';

const PASS: Pass = { type: 'pass' };

export const tls: AuthMethodType<TlsAuthConfig> = {
  type: 'tls',

  create({ principals }, { uris }): AuthMethod {
    const known = new Map(Object.entries(principals));
    return {
      start({ realm, authid: asked }, { client }) {
        const certificate = client.tls?.certificate;
        if (certificate === undefined) return PASS;
        const [found] = [...known].filter(([, principal]) => fits(principal, certificate));
        if (found === undefined) return denied(uris);
        const [authid, { role: authrole }] = found;
        if (asked !== undefined && asked !== authid) return denied(uris);
        return accept({ realm, authid, authrole, authmethod: 'tls', authprovider: 'static' });
      },

      knows: ({ authid, authrole }) => known.get(authid)?.role === authrole,
    };
  },
};

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
