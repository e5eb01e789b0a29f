import { describe, expect, it } from 'vitest';

import { placeOf } from '../../../src/cookie/registry.js';
import { cookieStoreSchema } from '../../../src/cookie/schema.js';
import type { CookieStoreConfig } from '../../../src/cookie/schema.js';
import type { ConfigSchema } from '../../../src/schema/dialect.js';

const SECTIONS: readonly CookieStoreConfig[] = [
  { type: 'memory' },
  { type: 'file', filename: '/srv/cookies.dat', sync: 'always', checksum: false, purge_on_startup: false },
  { type: 'database', path: '/srv/cookies', maxsize: 1, readonly: false, sync: true, purge_on_startup: false },
  { type: 'nats', bucket: 'cookies', max_pending: 65_536, connect_timeout: 60 },
];

describe('the place of a cookie store', () => {
  it.each(SECTIONS)('is told by the key that its schema marks as its identity: $type', (section) => {
    const variants: readonly ConfigSchema[] = cookieStoreSchema.oneOf;
    const { properties = {} } = variants.find((variant) => variant.properties?.['type']?.const === section.type) ?? {};
    const marked = Object.keys(properties).filter((key) => properties[key]?.identity === true);
    const values: Readonly<Record<string, unknown>> = { ...section };
    expect(placeOf(section)).toMatchObject(Object.fromEntries(marked.map((key) => [key, values[key]])));
    // It tells two stores apart, and comes first.
    expect(Object.keys(placeOf(section)).slice(0, 1)).toEqual(marked);
  });

  it('names the servers of NATS, and nothing secret', () => {
    const servers = ['nats://a:4222', 'b'];
    const nats = { type: 'nats', bucket: 'cookies', servers, user: 'router', password: 'secret' } as const;
    const place = placeOf({ ...nats, max_pending: 65_536, connect_timeout: 60 });
    expect(place).toEqual({ bucket: 'cookies', servers: 'nats://a:4222, b' });
  });

  it('is asked of every store that we ship', () => {
    expect(SECTIONS.map(({ type }) => type)).toEqual(
      cookieStoreSchema.oneOf.map(({ properties }) => properties.type.const),
    );
  });
});
