/** Every cell of the matrix: who posts, and what browsers say of it. */
import { describe, expect, it } from 'vitest';

import { judgeOrigin } from '../../../../src/webservice/login/origin-check.js';
import type { OriginVerdict } from '../../../../src/webservice/login/origin-check.js';

const APP = 'https://app.example.com';

interface Cell {
  readonly site?: string;
  readonly origin?: string;
  readonly host?: string;
  readonly isTls?: boolean;
  readonly publicOrigin?: string;
}

function judge({ site, origin, host = 'example.com:8080', isTls = false, publicOrigin }: Cell): OriginVerdict {
  const headers = {
    host,
    ...(site !== undefined && { 'sec-fetch-site': site }),
    ...(origin !== undefined && { origin }),
  };
  return judgeOrigin(headers, isTls, { publicOrigin, allowed: new Set([APP]) });
}

describe('a browser that says where a request comes from', () => {
  it.each<[string, Cell, OriginVerdict]>([
    ['the same origin', { site: 'same-origin', origin: 'http://example.com:8080' }, 'own'],
    ['the same origin, with Referrer-Policy no-referrer', { site: 'same-origin', origin: 'null' }, 'own'],
    [
      'the same origin, whatever the public URL is',
      { site: 'same-origin', publicOrigin: 'https://other.example' },
      'own',
    ],
    ['another port of the host', { site: 'same-site', origin: 'http://example.com:8081' }, 'refused'],
    ['another subdomain', { site: 'same-site', origin: 'https://evil.example.com' }, 'refused'],
    ['another site', { site: 'cross-site', origin: 'https://evil.example' }, 'refused'],
    ['another site that claims to be us', { site: 'cross-site', origin: 'http://example.com:8080' }, 'refused'],
    ['a sandboxed frame', { site: 'cross-site', origin: 'null' }, 'refused'],
    ['a page that hides its origin', { site: 'cross-site' }, 'refused'],
    ['a bookmark', { site: 'none' }, 'refused'],
    ['two words', { site: 'same-origin, cross-site' }, 'refused'],
    ['an allowed page', { site: 'same-site', origin: APP }, 'other'],
    ['an allowed page of another site', { site: 'cross-site', origin: APP }, 'other'],
    ['a page that only begins as an allowed one', { site: 'cross-site', origin: `${APP}.evil.example` }, 'refused'],
  ])('from %s', (_what, cell, verdict) => {
    expect(judge(cell)).toBe(verdict);
  });
});

describe('a browser that does not say it', () => {
  it.each<[string, Cell, OriginVerdict]>([
    ['a program', {}, 'own'],
    ['the host, with its port', { origin: 'http://example.com:8080' }, 'own'],
    ['the host behind a proxy with TLS', { origin: 'https://example.com', host: 'example.com' }, 'own'],
    ['the host, its usual port written out', { origin: 'http://example.com', host: 'example.com:80' }, 'own'],
    ['an address of IPv6', { origin: 'http://[::1]:8080', host: '[::1]:8080' }, 'own'],
    ['the public URL', { origin: 'https://example.com', publicOrigin: 'https://example.com' }, 'own'],
    ['another port', { origin: 'http://example.com:8081' }, 'refused'],
    ['the usual port', { origin: 'http://example.com' }, 'refused'],
    ['another host', { origin: 'https://evil.example' }, 'refused'],
    ['plain http, where we have TLS', { origin: 'http://example.com', host: 'example.com', isTls: true }, 'refused'],
    ['another scheme', { origin: 'ftp://example.com:8080' }, 'refused'],
    ['nothing that it would say', { origin: 'null' }, 'refused'],
    ['text that is no origin', { origin: 'http://example.com:8080/path' }, 'refused'],
    ['a user in the host', { origin: 'http://example.com:8080', host: 'x@example.com:8080' }, 'refused'],
    ['a host with a path', { origin: 'http://example.com', host: 'example.com/:8080' }, 'refused'],
    ['no host', { origin: 'http://example.com', host: '' }, 'refused'],
    ['an allowed page', { origin: APP }, 'other'],
  ])('from %s', (_what, cell, verdict) => {
    expect(judge(cell)).toBe(verdict);
  });
});
