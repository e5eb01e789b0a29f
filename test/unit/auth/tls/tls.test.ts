import { describe, expect, it } from 'vitest';

import type { ClientCertificate } from '../../../../src/auth/method.js';
import { testAuth } from '../../../support/auth.js';

const octets = (octet: string, count: number): string => Array.from({ length: count }, () => octet).join(':');
const SHA1 = octets('AB', 20);
const SHA256 = octets('CD', 32);
const OTHER = octets('EF', 20);
const certificate = (sha1 = SHA1, sha256 = SHA256): ClientCertificate => ({ sha1, sha256, commonName: 'whoever' });

const principals = {
  joe: { 'certificate-sha1': SHA1, role: 'user' },
  ann: { 'certificate-sha256': octets('12', 32).replaceAll(':', '').toLowerCase(), role: 'admin' },
  pat: { 'certificate-sha1': octets('34', 20), 'certificate-sha256': octets('56', 32), role: 'user' },
};

const start = async (shown: ClientCertificate | undefined, authid?: string) =>
  (await testAuth({ tls: { type: 'static', principals } })).start(
    { authmethod: 'tls', authid },
    { tls: { certificate: shown, channelBinding: () => undefined } },
  );

describe('a client certificate', () => {
  it('lets in whose it is', async () => {
    const principal = { realm: 'realm1', authid: 'joe', authrole: 'user', authmethod: 'tls', authprovider: 'static' };
    expect(await start(certificate())).toMatchObject({ type: 'accept', principal });
    expect(await start(certificate(), 'joe')).toMatchObject({ type: 'accept', principal });
  });

  it('is known by any fingerprint, in any spelling, and by both where both are there', async () => {
    expect(await start(certificate(OTHER, octets('12', 32)))).toMatchObject({ principal: { authid: 'ann' } });
    expect(await start(certificate(octets('34', 20), octets('56', 32)))).toMatchObject({
      principal: { authid: 'pat' },
    });
    expect((await start(certificate(octets('34', 20), SHA256))).type).toBe('deny');
  });

  it('of nobody is refused, and so is another name', async () => {
    const denied = { type: 'deny', reason: 'wamp.error.not_authorized' };
    expect(await start(certificate(OTHER))).toMatchObject(denied);
    expect(await start(certificate(), 'ann')).toMatchObject(denied);
    expect(await start(certificate(), 'nobody')).toEqual(await start(certificate(OTHER)));
  });

  it('that is not there leaves the client to the next method', async () => {
    expect(await start(undefined)).toEqual({ type: 'pass' });
    const auth = await testAuth({ tls: { type: 'static', principals } });
    expect(await auth.start({ authmethod: 'tls' })).toEqual({ type: 'pass' });
  });

  it('lets in later by a cookie as long as the principal is there', async () => {
    const method = (await testAuth({ tls: { type: 'static', principals } })).method('tls');
    const joe = { authid: 'joe', authrole: 'user', authmethod: 'tls', authrealm: 'realm1', authextra: null };
    expect(method.faultOf?.(joe)).toBeUndefined();
    expect(method.faultOf?.({ ...joe, authrole: 'admin' })).toBe('no such principal');
  });

  it('that was taken out of the config, for another one maybe, lets nobody in later by a cookie', async () => {
    const verdict = await start(certificate());
    const { credential } = verdict.type === 'accept' ? verdict.principal : {};
    const joe = { authid: 'joe', authrole: 'user', authmethod: 'tls', authrealm: 'realm1', authextra: null };
    const login = { ...joe, ...(credential !== undefined && { credential }) };
    const spelled = {
      ...principals,
      joe: { ...principals.joe, 'certificate-sha1': SHA1.replaceAll(':', '').toLowerCase() },
    };
    const replaced = { ...principals, joe: { ...principals.joe, 'certificate-sha1': OTHER } };
    const faultWith = async (those: object) =>
      (await testAuth({ tls: { type: 'static', principals: those } })).method('tls').faultOf?.(login);
    expect(await faultWith(spelled)).toBeUndefined();
    expect(await faultWith(replaced)).toBe('another credential');
  });
});
