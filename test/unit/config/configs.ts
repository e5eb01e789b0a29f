/** Small configs for the tests of this folder. */
import { checkConfig } from '../../../src/config/check.js';
import type { CheckedConfig } from '../../../src/config/check.js';
import { ConfigError } from '../../../src/config/error.js';
import type { Parser } from '../../../src/config/source/formats.js';
import { parseJson } from '../../../src/config/source/json.js';
import { parseYaml } from '../../../src/config/source/yaml.js';

/** A node with one WebSocket on `/ws`, changed where a test cares. */
export function node({
  websocket = {},
  web = {},
  worker = {},
}: { websocket?: object; web?: object; worker?: object } = {}) {
  return {
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [{ name: 'realm1', roles: [{ name: 'anonymous', 'allow-by-default': true }] }],
        transports: [
          {
            type: 'web',
            endpoint: { type: 'tcp', port: 8080 },
            paths: { ws: { type: 'websocket', ...websocket } },
            ...web,
          },
        ],
        ...worker,
      },
    ],
  };
}

/** Checks a value as `config.json` in `/node`. */
export function check(value: unknown, env: Record<string, string> = {}): CheckedConfig {
  return checkConfig(JSON.stringify(value), 'config.json', { parse: parseJson, cbdir: '/node', env });
}

/** @returns what is wrong, as `pointer: text`. */
export function problemsOf(value: unknown, env: Record<string, string> = {}): string[] {
  return problemsOfText(JSON.stringify(value), 'config.json', env);
}

/** @returns what is wrong or has no effect, as `pointer: text`. */
export function strictProblemsOf(value: unknown): string[] {
  return problemsOfText(JSON.stringify(value), 'config.json', {}, true);
}

export function problemsOfText(
  text: string,
  fileName: string,
  env: Record<string, string> = {},
  strict = false,
): string[] {
  try {
    checkConfig(text, fileName, { parse: parserOf(fileName), cbdir: '/node', env, strict });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ pointer, text: said }) => `${pointer}: ${said}`);
  }
}

/** The parser that a file of this name gets, at once. */
export function parserOf(fileName: string): Parser {
  return fileName.endsWith('.json') ? parseJson : parseYaml;
}
