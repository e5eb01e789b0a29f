import { describe, expect, it } from 'vitest';
import { checkConfig, checkObject } from '../../../src/config/check.js';
import { ConfigError } from '../../../src/config/error.js';
import { parseJson } from '../../../src/config/source/json.js';
import { nodeConfig } from '../../support/node-config.js';

const CONTEXT = { cbdir: '/node', env: {} };

/** The message about a config that is wrong. */
function refusal(config: object): string {
  try {
    checkObject(config, CONTEXT);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the config was taken');
}

describe('a config that is an object', () => {
  it('is checked and completed as a file is', () => {
    const config = nodeConfig({ paths: { files: { type: 'static', directory: 'public' } } });
    const asFile = checkConfig(JSON.stringify(config), 'config.json', { ...CONTEXT, parse: parseJson });
    const asObject = checkObject(config, CONTEXT);
    expect(asObject.config).toEqual(asFile.config);
    expect(asObject.warnings.map(({ text }) => text)).toEqual(asFile.warnings.map(({ text }) => text));
  });

  it('is not changed, and what is changed in it later does not count', () => {
    const [config, same] = [nodeConfig(), nodeConfig()];
    const { config: checked } = checkObject(config, CONTEXT);
    expect(config).toEqual(same);
    Object.assign(config, { version: 3 });
    expect(checked.version).toBe(2);
    expect(Object.isFrozen(checked)).toBe(true);
  });

  it('is refused with every problem in the order of the object, and without lines', () => {
    expect(refusal({ version: 1, workers: [{ type: 'router', id: 'X', transports: [] }] })).toBe(
      [
        'config: /version: found 1 (allowed: 2; a file of version 1 is upgraded when it is read)',
        'config: /workers/0/id: found "X" (allowed: 3 to 64 of a-z, 0-9 and _, beginning with a letter)',
      ].join('\n'),
    );
  });

  it('has problems with no place in a text', () => {
    try {
      checkObject({}, CONTEXT);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID' });
      expect((error as ConfigError).problems[0]).toMatchObject({ file: 'config', line: 0, column: 0 });
    }
    expect.assertions(2);
  });

  const itself: Record<string, unknown> = nodeConfig() as Record<string, unknown>;
  itself['controller'] = { options: itself };
  let deep: unknown[] = [];
  for (let level = 0; level < 10_000; level++) deep = [deep];

  it.each([
    ['a function', { version: () => 2 }, 'config: /version: found a function (allowed: what JSON can say)'],
    ['a bigint', { version: 2n }, 'config: /version: found a bigint (allowed: what JSON can say)'],
    ['a map', { version: 2, workers: new Map() }, 'config: /workers: found a Map (allowed: what JSON can say)'],
    [
      'undefined in a list',
      { workers: [undefined] },
      'config: /workers/0: found undefined (allowed: what JSON can say)',
    ],
    ['a number that is none', { version: NaN }, 'config: /version: found a number that JSON cannot express'],
    [
      'itself',
      itself,
      'config: /controller/options: found an object that contains itself (allowed: what JSON can say)',
    ],
    ['very deep lists', { workers: deep }, 'config: /workers/0/0/0/0: nested too deeply (allowed: 100 levels)'],
  ])('with %s in it is refused', (_what, config, expected) => {
    expect(refusal(config)).toContain(expected);
  });

  it('may have members that are undefined, as in JSON, and none named __proto__', () => {
    expect(checkObject({ ...nodeConfig(), controller: undefined }, CONTEXT).config.controller.options).toBeDefined();
    const odd = JSON.parse('{"version": 2, "__proto__": {}}') as object;
    expect(refusal(odd)).toContain('config: /__proto__: found the key "__proto__" (allowed: any other key)');
  });
});
