import { describe, expect, it } from 'vitest';

import { placeOf } from '../../../src/cookie/registry.js';
import { cookieStoreSchema } from '../../../src/cookie/schema.js';
import type { CookieStoreConfig } from '../../../src/cookie/schema.js';
import type { ConfigSchema } from '../../../src/schema/dialect.js';

const SECTIONS: readonly CookieStoreConfig[] = [
  { type: 'memory' },
  { type: 'file', filename: '/srv/cookies.dat', sync: 'always', checksum: false, purge_on_startup: false },
  { type: 'database', path: '/srv/cookies', maxsize: 1, readonly: false, sync: true, purge_on_startup: false },
];

describe('the place of a cookie store', () => {
  it.each(SECTIONS)('is told by the key that its schema marks as its identity: $type', (section) => {
    const variants: readonly ConfigSchema[] = cookieStoreSchema.oneOf;
    const { properties = {} } = variants.find((variant) => variant.properties?.['type']?.const === section.type) ?? {};
    const marked = Object.keys(properties).filter((key) => properties[key]?.identity === true);
    const values: Readonly<Record<string, unknown>> = { ...section };
    expect(placeOf(section)).toEqual(Object.fromEntries(marked.map((key) => [key, values[key]])));
  });

  it('is asked of every store that we ship', () => {
    expect(SECTIONS.map(({ type }) => type)).toEqual(
      cookieStoreSchema.oneOf.map(({ properties }) => properties.type.const),
    );
  });
});
