import { describe, expect, it, vi } from 'vitest';
import { firstForeign, installedIn } from '../../../src/node/foreign-frame.js';

const OURS = '/opt/lib/node_modules';
const stack = (...lines: readonly string[]) => ['Error: oops', ...lines.map((line) => `    ${line}`)].join('\n');

describe('the place in the code of a component', () => {
  it.each<[string, string[], string | undefined]>([
    [
      'a timer',
      ['at Timeout._onTimeout (file:///app/hello.mjs:3:9)', 'at node:internal/timers:1:2'],
      '/app/hello.mjs:3:9',
    ],
    ['an async function', ['at async file:///app/a%20b.mjs:3:9'], '/app/a b.mjs:3:9'],
    ['a file of CommonJS', ['at Object.<anonymous> (/app/hello.cjs:3:9)'], '/app/hello.cjs:3:9'],
    ['a bare place', ['at /app/hello.cjs:3:9'], '/app/hello.cjs:3:9'],
    ['an async place', ['at async /app/hello.cjs:3:9'], '/app/hello.cjs:3:9'],
    [
      'a package of it',
      ['at Client.end (/app/node_modules/pg/lib/client.js:3:9)'],
      '/app/node_modules/pg/lib/client.js:3:9',
    ],
    [
      'what it asked of us in vain',
      ['at copy (file:///opt/lib/node_modules/crossbar-ts/dist/x.js:1:2)', 'at f (file:///app/hello.mjs:4:5)'],
      '/app/hello.mjs:4:5',
    ],
    ['ours', ['at f (file:///opt/lib/node_modules/crossbar-ts/dist/x.js:1:2)', 'at node:internal/x:1:2'], undefined],
    ['a package of ours', ['at Receiver.f (/opt/lib/node_modules/ws/lib/receiver.js:1:2)'], undefined],
    ['Node.js alone', ['at node:internal/process/task_queues:95:5', 'at new Promise (<anonymous>)'], undefined],
    ['nothing', [], undefined],
  ])('%s', (_what, lines, place) => {
    expect(firstForeign(stack(...lines), OURS)).toBe(place);
  });

  it('is not looked for in the message', () => {
    expect(firstForeign('Error: at f (/app/x.js:1:2)\n    at g (node:fs:1:2)', OURS)).toBeUndefined();
    expect(firstForeign('Error: see\nat f (/tmp/x)\n    at g (node:fs:1:2)', OURS)).toBeUndefined();
  });

  it('is not there where no component was loaded', async () => {
    // Another test of this process may have loaded one.
    vi.resetModules();
    const { foreignFrame } = await import('../../../src/node/foreign-frame.js');
    expect(foreignFrame(new Error('oops'))).toBeUndefined();
    expect(foreignFrame('oops')).toBeUndefined();
  });

  it('ours is everything that is installed with us', () => {
    expect(installedIn('/opt/lib/node_modules/crossbar-ts')).toBe('/opt/lib/node_modules');
    expect(installedIn('/home/me/crossbar-ts')).toBe('/home/me/crossbar-ts');
  });
});
