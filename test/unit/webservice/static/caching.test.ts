import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cachingOf, hasHash } from '../../../../src/webservice/static/caching.js';

const FOR_GOOD = 'public, max-age=31536000, immutable';
const HALF_A_DAY = 'max-age=43200, public';

describe('how long a file is kept', () => {
  it.each([
    ['a page', '/index.html', '/web/index.html', undefined, 'no-cache'],
    ['a page by its type in the config', '/start.page', '/web/start.page', 'text/html; charset=utf-8', 'no-cache'],
    ['what the config says is no page', '/a.html', '/web/a.html', 'text/plain', HALF_A_DAY],
    ['a page with a hash', '/index-BxY2a9Qz.html', '/web/index-BxY2a9Qz.html', undefined, 'no-cache'],
    ['a script with a hash', '/assets/index-BxY2a9Qz.js', '/web/assets/index-BxY2a9Qz.js', undefined, FOR_GOOD],
    ['a script without', '/app.js', '/web/app.js', undefined, HALF_A_DAY],
    ['a default file with a hash, at its directory', '/', '/web/app.3f2a91bc.js', undefined, HALF_A_DAY],
  ])('%s', (_what, urlPath, file, type, expected) => {
    expect(cachingOf({ timeout: undefined, urlPath, file, type })).toBe(expected);
  });

  it.each([
    [60, 'max-age=60, public'],
    [0, 'max-age=0, public'],
    [-1, 'max-age=0, public'],
    [null, undefined],
  ])('is up to the config, where it says %j', (timeout, expected) => {
    for (const name of ['index.html', 'index-BxY2a9Qz.js', 'app.js']) {
      expect(cachingOf({ timeout, urlPath: `/${name}`, file: `/web/${name}`, type: undefined })).toBe(expected);
    }
  });
});

describe('a name', () => {
  it.each([
    // Vite, Rollup
    ...['index-BxY2a9Qz.js', 'index-CMESou6r.css', 'codeMirrorModule-D5SeAdMv.js', 'uiMode.CyMfwkXJ.css'],
    ...['errors-C_o2yEYd.js', 'rolldown-runtime-D7D4PA-g.js', 'index-BxY2a9Qz.js.map', 'logo-k3eOH2eK.svg'],
    // webpack, Parcel, Create React App, Angular, Next.js
    ...['app.3f2a91bc.css', 'main.3f2a91bc.chunk.js', '787.7ff5b1b2.js', 'main.8d2c4f5a1b3e7c90.js'],
    ...['index.7ff5b1b2.woff2', 'vendor-3f2a91bc8d4e5f603f2a.js', `x.${createHash('sha256').digest('hex')}.wasm`],
    // esbuild
    ...['chunk-ABCDEF12.js', 'chunk-QB7CDE2F.js', 'index-2W7EXM5A.css'],
  ])('with a hash: %s', (name) => {
    expect(hasHash(`/assets/${name}`)).toBe(true);
  });

  it.each([
    ...[
      'jquery.min.js',
      'my-component.js',
      'release-candidate.html',
      'app.js',
      'jquery-3.7.1.js',
      'bootstrap.bundle.min.js',
    ],
    ...['report-20240115.png', 'photo-12345678.jpg', 'app-Settings.js', 'vue-HelloWorld.js', 'lib.GlobalStore.js'],
    ...['doc-OVERVIEW.png', 'doc-CHAPTER2.png', 'lib-Html5Api.js', 'lib-Base64JS.js', 'angular-fesm2022.js'],
    ...[
      'font-roboto400.woff2',
      'facade-deadbeef.js',
      'test-encodeInto.js',
      'Audient-iD4-0003.svg',
      'kontrol-Z1-Mixer.svg',
    ],
    ...['avatar-5b6bd808-0399-4ee6-9395-344688761dfa.png', '5b6bd808-0399-4ee6-9395-344688761dfa.png'],
    // What no page loads
    ...['setup-BxY2a9Qz.exe', 'dump.3f2a91bc.zip', 'notes-BxY2a9Qz.txt', 'data.3f2a91bc.json', 'index-BxY2a9Qz'],
    // No separator, or too short
    ...['BxY2a9Qz.js', '-BxY2a9Qz.js', 'indexBxY2a9Qz.js', 'app.3f2a91b.js', 'app.3f2a91bc', 'app_3f2a91bc.js'],
    ...['index-BxY2a9Qz.js.gz', 'index-BxY2a9Qz.js/', 'index-BxY2a9Qz.a.b.js', 'index-BxY2a9Q%7A.js'],
  ])('without one: %s', (name) => {
    expect(hasHash(`/assets/${name}`)).toBe(false);
  });

  it('with a hash in front of its directory has none', () => {
    expect(hasHash('/index-BxY2a9Qz.js/app.js')).toBe(false);
  });

  it('is read in linear time, however long', () => {
    for (const part of ['a.', '-', 'a-', '3f2a91bc.', '.aaaaaaaa', 'aB3']) {
      expect(hasHash(`/${part.repeat(16_384 / part.length)}`)).toBe(false);
    }
  });
});
