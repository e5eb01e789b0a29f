/** What Crossbar.io accepts and does not mean what it seems to: accepted here, too, with exactly these warnings. */
import { describe, expect, it } from 'vitest';

import { check, node, problemsOf } from './configs.js';

/** @returns the warnings about a config, as `pointer: text`. */
function warningsOf(config: object, env: Record<string, string> = {}): string[] {
  return check(config, env).warnings.map(({ pointer, text }) => `${pointer}: ${text}`);
}

const PATHS = '/workers/0/transports/0/paths';

describe('a static service', () => {
  const files = (options: object) => node({ web: { paths: { '/': { type: 'static', directory: 'web', options } } } });

  it('may have a cache_timeout below 0', () => {
    expect(warningsOf(files({ cache_timeout: -1 }))).toEqual([
      `${PATHS}/~1/options/cache_timeout: found -1, which means the same as 0`,
    ]);
  });

  it('may have media types for extensions without a dot', () => {
    expect(warningsOf(files({ mime_types: { md: 'text/markdown', '.md': 'text/markdown' } }))).toEqual([
      `${PATHS}/~1/options/mime_types/md: "md" has no effect, because a file extension begins with a dot; did you mean ".md"?`,
    ]);
  });

  it('is not one of the private files of the node', () => {
    const endpoint = { type: 'tcp', port: 8080, tls: { key: '../key.pem', certificate: '../cert.pem' } };
    const paths = { '/': { type: 'static', directory: '../key.pem' } };
    expect(problemsOf(node({ web: { endpoint, paths } }))).toEqual([
      `${PATHS}/~1/directory: found "../key.pem", where "../key.pem" is (allowed: a directory without files of the node)`,
    ]);
  });
});
