import { afterEach, expect, it, vi } from 'vitest';

import { lookAtLoginProviders } from '../../../../../src/webservice/login/providers/look.js';
import { createProviders } from '../../../../../src/webservice/login/providers/providers.js';
import type { LookTools } from '../../../../../src/schema/look.js';
import { oidcConfig } from '../../../../support/login-site.js';

const PROVIDERS = { id: oidcConfig('https://id.example.com') };

afterEach(() => {
  vi.doUnmock('openid-client');
  vi.resetModules();
});

async function problems(providers: typeof PROVIDERS | Record<string, never>): Promise<string[]> {
  const found: string[] = [];
  const tools = { report: (_below: readonly string[], text: string) => void found.push(text) };
  await lookAtLoginProviders(providers, tools as unknown as LookTools);
  return found;
}

it('finds nothing wrong where the packages are', async () => {
  expect(await problems(PROVIDERS)).toEqual([]);
});

it('says how to install what is missing, as the start does, and only where there is a provider', async () => {
  vi.doMock('openid-client', () => {
    throw new Error('it is not here');
  });
  const expected = expect.stringMatching(
    /^a provider of a login needs the npm package "openid-client".*npm install openid-client@\d+\.\d+\.\d+$/s,
  );
  expect(await problems(PROVIDERS)).toEqual([expected]);
  expect(await problems({})).toEqual([]);
  await expect(createProviders(PROVIDERS, {} as never)).rejects.toMatchObject({ message: expected });
});
