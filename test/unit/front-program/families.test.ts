/** A front loads only what its half of a config can ask for: whatever the config has, nothing of that half may be missing. */
import { describe, expect, it } from 'vitest';
import { WEB_SERVICES } from '../../../src/webservice/registry.js';
import { FRONT_FAMILIES } from '../../../src/front-program/families.js';
import { webHalves } from '../../../src/webservice/halves.js';
import { TRANSPORTS } from '../../../src/worker/transports.js';
import type { WebTransportConfig } from '../../../src/webservice/schema.js';

const COOKIE = { name: 'cbtid' };

/** The services of a half of a front whose config has each service once. */
function servicesAtFront(cookie: object | undefined): string[] {
  const paths = Object.fromEntries(Object.keys(WEB_SERVICES).map((type) => [type, { type, paths: {} }]));
  const transport = { type: 'web', endpoint: { type: 'tcp', port: 0 }, paths, ...(cookie && { cookie }) };
  const services = { services: WEB_SERVICES };
  const half = webHalves(transport as unknown as WebTransportConfig, '/the/socket', services).atFront;
  const { paths: left } = half as unknown as { paths: Record<string, { type: string }> };
  expect(Object.keys(left)).toEqual(Object.keys(paths));
  return [...new Set(Object.values(left).map(({ type }) => type))];
}

describe('the families of a front', () => {
  it.each([undefined, COOKIE])('have every service of its half, with the cookie section %j', (cookie) => {
    const services = servicesAtFront(cookie);
    expect(Object.keys(FRONT_FAMILIES.services)).toEqual(expect.arrayContaining(services));
  });

  it('have no service that its half never has', () => {
    expect(servicesAtFront(undefined).sort()).toEqual(Object.keys(FRONT_FAMILIES.services).sort());
  });

  it('have every transport', () => {
    expect(Object.keys(FRONT_FAMILIES.transports)).toEqual(Object.keys(TRANSPORTS));
  });
});
