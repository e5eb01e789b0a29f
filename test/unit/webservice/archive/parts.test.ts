/** Media types, and what is kept in memory. */
import { describe, expect, it } from 'vitest';

import type { ArchiveEntry } from '../../../../src/webservice/archive/contents.js';
import { mediaTypes } from '../../../../src/webservice/archive/media-types.js';
import { ObjectCache } from '../../../../src/webservice/archive/object-cache.js';

describe('a media type', () => {
  const typeOf = mediaTypes({
    '.min.js': 'text/x-min',
    '.js': 'text/x-js',
    MD: 'text/x-md',
    '.Tar.GZ': 'application/x-tgz',
  });

  it.each([
    ['app.js', 'text/x-js'],
    ['a/APP.MIN.JS', 'text/x-min'],
    ['readme.md', 'text/x-md'],
    ['x.tar.gz', 'application/x-tgz'],
    ['x.gz', 'application/gzip'],
    ['index.html', 'text/html; charset=utf-8'],
    ['a.b/noextension', 'application/octet-stream'],
    ['constructor', 'application/octet-stream'],
    ['x.constructor', 'application/octet-stream'],
    ['pic.PNG', 'image/png'],
  ])('of %s is %s', (name, type) => {
    expect(typeOf(name)).toBe(type);
  });
});

describe('the cache', () => {
  const entry = (name: string, size: number): ArchiveEntry => ({
    ...{ name, size, compressedSize: size, crc32: 0, offset: 0, limit: 0, isDeflated: true },
  });
  const counting = (): { readonly make: () => Promise<Buffer>; readonly calls: () => number } => {
    let calls = 0;
    const make = (): Promise<Buffer> => Promise.resolve(Buffer.from(String((calls += 1))));
    return { make, calls: () => calls };
  };

  it('unpacks once, also for those who ask at the same time', async () => {
    const [cache, { make, calls }, page] = [new ObjectCache(1000), counting(), entry('a', 100)];
    const texts = await Promise.all([cache.get(page, make), cache.get(page, make)]);
    await cache.get(page, make);
    expect([texts.map(String), calls(), cache.bytes]).toEqual([['1', '1'], 1, 100]);
  });

  it('forgets what was asked for longest ago, and never has more than it may', async () => {
    const [cache, { make, calls }] = [new ObjectCache(300), counting()];
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => entry(name, 100)) as [ArchiveEntry, ...ArchiveEntry[]];
    for (const each of [a, b, c, a, d]) await cache.get(each as ArchiveEntry, make);
    expect([calls(), cache.bytes]).toEqual([4, 300]);
    await cache.get(a, make);
    expect(calls()).toBe(4);
    await cache.get(b as ArchiveEntry, make);
    expect([calls(), cache.bytes]).toEqual([5, 300]);
  });

  it('does not keep what failed, nor what is too large', async () => {
    const [cache, page] = [new ObjectCache(800), entry('a', 100)];
    await expect(cache.get(page, () => Promise.reject(new Error('damaged')))).rejects.toThrow('damaged');
    expect(cache.bytes).toBe(0);
    expect((await cache.get(page, counting().make)).toString()).toBe('1');
    expect([cache.takes(page), cache.takes(entry('b', 101))]).toEqual([true, false]);
  });
});
