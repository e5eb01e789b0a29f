/**
 * docs/troubleshooting.md has everything that the node says to those who look for a reason, and quotes nothing that it does not say.
 * `test/architecture.test.ts` runs it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { ENDINGS } from '../../src/transport/endings.js';
import { sourceFacts } from '../support/source-facts.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const page = read('docs/troubleshooting.md');

/** What the page leaves to others, and to whom. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^(client|component|remote|worker\/(container|guest|host|process))\//, 'programs that the node starts'],
  [/rules\.ts$|\/rules\/|look\.ts$/, 'what `check` warns of, with its place'],
  [/^cli\/(cookies|init|upgrade)\.ts$/, 'commands that say so themselves'],
  [/^node\/(control|directory|node)\.ts$/, 'what a program or a command gets'],
  [/^http\/bodies\.ts$/, '`HTTP request refused`, whose reason tells what the body must be'],
  [/^transport\/testee\//, 'echoes for tests'],
];

const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const spoken = sources
  .sort()
  .flatMap((file) => sourceFacts(read(`src/${file}`)).spoken.map((said) => ({ file, ...said })));
const isLeftOut = ({ file, how }: (typeof spoken)[number]): boolean =>
  ELSEWHERE.some(([pattern]) => pattern.test(file)) && !(how === 'line' && file.startsWith('node/'));
const demanded = [...new Set(spoken.filter((one) => !isLeftOut(one)).map(({ text }) => text))];

/** The beginning of a text, as far as a table can have it. */
const quotable = (text: string): string =>
  (/[^\n`" ][^\n`]+/.exec(text)?.[0] ?? '').replace(/:? ".*$|[:;,(].*$/, '').trim();

describe('the page of troubles', () => {
  it.each(demanded)('has: %s', (text) => {
    expect(page.includes(quotable(text)), quotable(text)).toBe(true);
  });

  it.each(Object.values(ENDINGS).flatMap(({ line }) => (line === undefined ? [] : [line.message])))(
    'has the ending: %s',
    (message) => {
      expect(page.includes(`\`${message}\``)).toBe(true);
    },
  );

  it('has why an endpoint cannot listen', () => {
    const reasons = [...read('src/transport/listen/listen.ts').matchAll(/^ {2}E[A-Z]+: '([^']+)',$/gm)];
    expect(reasons.length).toBeGreaterThan(8);
    for (const [, reason = ''] of reasons) expect(page).toContain(`\`${reason}\``);
  });

  it('was held to all that the node says', () => {
    expect(demanded.length).toBeGreaterThan(90);
    for (const [pattern] of ELSEWHERE) expect(spoken.some(({ file }) => pattern.test(file))).toBe(true);
    for (const how of ['line', 'refusal', 'denial', 'start']) expect(spoken.some((one) => one.how === how)).toBe(true);
  });

  it('quotes what stands in the source', () => {
    const source = sources.map((name) => read(`src/${name}`)).join('\n');
    // Words of a sentence: what has no blank is the name of an option, a file or a field.
    const quoted = [...page.matchAll(/`([a-zA-Z][^`\n]* [^`\n]*)`/g)].map(([, text = '']) => text);
    const foreign = /^(exclude_me|nats stream|curl|ss|kill|chmod|WebSocket connection|--|crossbar-ts)/;
    const unknown = quoted.filter((text) => !foreign.test(text) && !source.includes(text));
    expect(unknown).toEqual([]);
    expect(quoted.length).toBeGreaterThan(80);
  });

  it('has links that lead somewhere', () => {
    for (const [, file = '', anchor] of page.matchAll(/\]\(([a-z-]+\.md)(?:#([a-z-]+))?\)/g)) {
      const target = read(`docs/${file}`);
      const anchors = [...target.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replace(/[^a-z ]/g, '')
          .replaceAll(' ', '-'),
      );
      if (anchor !== undefined) expect(anchors, file).toContain(anchor);
    }
  });
});
