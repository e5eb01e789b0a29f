import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_URI_LENGTH, isReservedUri, isValidUri } from '../../../src/wamp/uri.js';

interface Sample {
  readonly uri: string;
  readonly loose: Readonly<Record<'exact' | 'prefix' | 'wildcard', boolean>>;
  readonly strict: Readonly<Record<'exact' | 'prefix' | 'wildcard', boolean>>;
}
const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/wamp/own-vectors/uris.json', import.meta.url), 'utf8'),
) as { samples: Sample[] };

describe('URI rules', () => {
  it.each(vectors.samples)('$uri', ({ uri, loose, strict }) => {
    for (const match of ['exact', 'prefix', 'wildcard'] as const) {
      expect(isValidUri(uri, 'loose', match), `loose ${match}`).toBe(loose[match]);
      expect(isValidUri(uri, 'strict', match), `strict ${match}`).toBe(strict[match]);
    }
  });

  it('bounds the length', () => {
    expect(isValidUri('a'.repeat(MAX_URI_LENGTH), 'loose')).toBe(true);
    expect(isValidUri('a'.repeat(MAX_URI_LENGTH + 1), 'loose')).toBe(false);
  });

  it('reserves wamp and what is below it, nothing else', () => {
    expect(['wamp', 'wamp.', 'wamp.session.list'].map(isReservedUri)).toEqual([true, true, true]);
    expect(['wampum', 'com.wamp', 'Wamp.x', ''].map(isReservedUri)).toEqual([false, false, false, false]);
  });
});
