/** Positions and odd texts. */
import { describe, expect, it } from 'vitest';

import { checkConfig } from '../../../../src/config/check.js';
import { ConfigError } from '../../../../src/config/error.js';
import { decodeUtf8, LineIndex } from '../../../../src/config/source/text.js';
import { parseYaml } from '../../../../src/config/source/yaml.js';
import { parserOf, problemsOfText } from '../configs.js';

describe('lines', () => {
  it('end in \\n, \\r\\n or \\r', () => {
    const text = 'a\nbc\r\nd\re';
    const lines = new LineIndex(text);
    const at = (letter: string) => lines.at(text.indexOf(letter));
    expect(at('a')).toEqual({ line: 1, column: 1 });
    expect(at('c')).toEqual({ line: 2, column: 2 });
    expect(at('d')).toEqual({ line: 3, column: 1 });
    expect(at('e')).toEqual({ line: 4, column: 1 });
    expect(lines.at(text.length)).toEqual({ line: 4, column: 2 });
  });

  it('are counted the same in both formats', () => {
    expect(positions('{\r\n  "version": 2,\r\n  "extra": 1\r\n}', 'config.json')).toContain('3:3');
    expect(positions('version: 2\r\n\r\nextra: 1\r\n', 'config.yaml')).toContain('3:1');
  });
});

describe('bytes', () => {
  it('that are UTF-8 become text, a replacement character included', () => {
    const text = 'aä€😀\ufffd';
    expect(decodeUtf8(new TextEncoder().encode(text))).toEqual({ text });
  });

  it('that are not are found', () => {
    expect(decodeUtf8(Uint8Array.of(0x61, 0xc3, 0xa4, 0xff, 0x62)).finding).toMatchObject({
      offset: 2,
      text: 'found the byte 0xff (allowed: text in UTF-8)',
    });
    expect(decodeUtf8(Uint8Array.of(0x61, 0xc3)).finding).toMatchObject({ offset: 1 });
  });
});

describe('nesting without end', () => {
  it.each([
    ['lists in JSON', '['.repeat(300_000), 'config.json'],
    ['objects in JSON', '{"a":'.repeat(300_000), 'config.json'],
    ['lists in YAML', '['.repeat(300_000), 'config.yaml'],
    ['lists on one line in YAML', '- '.repeat(300_000), 'config.yaml'],
    ['maps in YAML', Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), 'config.yaml'],
    ['compact maps in YAML', '? '.repeat(100_000), 'config.yaml'],
  ])('%s', (_name, text, fileName) => {
    expect(problemsOfText(text, fileName)).toEqual(['(root): nested too deeply (allowed: 100 levels)']);
  });

  it('made of aliases is found too', () => {
    const levels = Array.from(
      { length: 150 },
      (_, level) => `a${level}: &a${level} [${level === 0 ? '' : `*a${level - 1}`}]`,
    );
    const problems = problemsOfText(levels.join('\n'), 'config.yaml');
    expect(problems.some((problem) => problem.endsWith('nested too deeply (allowed: 100 levels)'))).toBe(true);
  });

  it('leaves what people write alone', () => {
    const value = `${'['.repeat(90)}${']'.repeat(90)}`;
    const problems = problemsOfText(`{"version": 2, "value": ${value}}`, 'config.json');
    expect(problems.some((problem) => problem.includes('nested'))).toBe(false);
  });
});

describe('YAML', () => {
  it('takes numbers as path keys for what they look like', () => {
    const text = [
      'version: 2',
      'workers:',
      '  - type: router',
      '    transports:',
      '      - type: web',
      '        endpoint: { type: tcp, port: 0x1F90 }',
      '        paths: { 007: { type: nodeinfo } }',
    ].join('\n');
    const { config } = checkConfig(text, 'config.yaml', { parse: parseYaml, cbdir: '/node', env: {} });
    expect(config).toHaveProperty(['workers', 0, 'transports', 0, 'paths', '007', 'type'], 'nodeinfo');
    expect(config).toHaveProperty(['workers', 0, 'transports', 0, 'endpoint', 'port'], 8080);
  });

  it('knows true and false, but neither yes nor no', () => {
    const problems = problemsOfText('version: yes\ncontroller: on', 'config.yaml').join('\n');
    expect(problems).toMatch(/^\/version: found "yes" /m);
    expect(problems).toMatch(/^\/controller: found "on" /m);
  });
});

function positions(text: string, fileName: string): string[] {
  try {
    checkConfig(text, fileName, { parse: parserOf(fileName), cbdir: '/node', env: {} });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ line, column }) => `${line}:${column}`);
    throw error;
  }
  throw new Error('the config was accepted');
}
