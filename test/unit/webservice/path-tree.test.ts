import { expect, it } from 'vitest';

import { answeringServices, walkPaths } from '../../../src/webservice/path-tree.js';
import type { PathsConfig } from '../../../src/webservice/schema.js';
import { jsonConfig } from '../../support/web.js';

const TREE: PathsConfig = {
  ws: jsonConfig(1),
  a: {
    type: 'path',
    paths: { b: { type: 'path', paths: { '/': jsonConfig(2), c: jsonConfig(3) } }, '/': jsonConfig(4) },
  },
  '/': jsonConfig(5),
};

it('finds every service where it is, a level before what is below it', () => {
  const found = [...walkPaths(TREE)].map(({ path, service, isLevel }) => [path, isLevel ? 'level' : service.type]);
  expect(found).toEqual([
    ['/ws', 'json'],
    ['/a', 'level'],
    ['/a/b', 'level'],
    ['/a/b', 'json'],
    ['/a/b/c', 'json'],
    ['/a', 'json'],
    ['/', 'json'],
  ]);
});

it('tells levels from services that answer', () => {
  const values = answeringServices(TREE).map(({ service }) => (service.type === 'json' ? service.value : undefined));
  expect(values).toEqual([1, 2, 3, 4, 5]);
});

it('mounts a tree at / of another one where that is', () => {
  const [inner] = answeringServices({ '/': { type: 'path', paths: { x: jsonConfig(1) } } });
  expect(inner?.path).toBe('/x');
});
