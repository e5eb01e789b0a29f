/** Packages that only some configs need, and what is said where they are missing. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { optionalPackage } from '../../../src/system/optional-package.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const { peerDependencies, peerDependenciesMeta } = JSON.parse(
  readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
) as {
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
};

/** What Node.js throws. */
function notFound(name: string): Promise<never> {
  const error = new Error(`Cannot find package '${name}' imported from /somewhere/else.js`);
  return Promise.reject(Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' }));
}

describe('an optional package', () => {
  it('is loaded where it is installed', async () => {
    const { SignJWT } = await optionalPackage('jose', 'a section "jwt"', () => import('jose'));
    expect(SignJWT).toBeTypeOf('function');
  });

  it.each(Object.entries(peerDependencies))('%s: the error says which version to install', async (name, version) => {
    expect(peerDependenciesMeta[name]).toEqual({ optional: true });
    await expect(optionalPackage(name, 'a section "x"', () => notFound(name))).rejects.toMatchObject({
      code: 'ERR_OPTIONAL_PACKAGE',
      message: `a section "x" needs the npm package "${name}": npm install ${name}@${version}`,
    });
  });

  it('that is broken says why', async () => {
    const broken = (): Promise<never> => Promise.reject(new Error('no native build was found'));
    await expect(optionalPackage('lmdb', 'a store', broken)).rejects.toThrow(
      `a store needs the npm package "lmdb": it cannot be loaded (no native build was found), perhaps after npm install lmdb@${peerDependencies['lmdb']}`,
    );
  });

  it('that lacks another package is not taken for missing', async () => {
    const lacking = (): Promise<never> => notFound('oauth4webapi');
    await expect(optionalPackage('openid-client', 'a provider', lacking)).rejects.toThrow(
      /oauth4webapi.*npm install openid-client@/,
    );
  });
});
