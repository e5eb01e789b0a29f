/** `crossbar-ts check --explain` as an operator meets it: output and exit codes. */
import { describe, expect, it } from 'vitest';

import { nodeDirectory, runCli, temporaryDirectory } from '../support/daemon.js';

const permissions = [
  { uri: 'com.shop.*', allow: { register: true, publish: true } },
  { uri: 'com.news', allow: { subscribe: true } },
];
const router = (id: string, roles: readonly object[]) => ({ type: 'router', id, realms: [{ name: 'realm1', roles }] });
const one = { version: 2, workers: [router('one', [{ name: 'backend', permissions }])] };
const two = {
  version: 2,
  workers: [
    router('one', [{ name: 'backend', 'allow-by-default': true }]),
    router('two', [{ name: 'backend', authorizer: 'com.ask' }, { name: 'other' }]),
  ],
};

const ask = (config: object, ...words: readonly string[]) =>
  runCli(['check', '--cbdir', nodeDirectory(config), '--explain', ...words]);

describe('check --explain', () => {
  it('says what is allowed, exit 0; the only realm and role need no name', async () => {
    const { code, stdout, stderr } = await ask(one, 'register', 'com.shop.add');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^allowed: role "backend" on realm "realm1" may register "com\.shop\.add"\n {2}config\.json:\d+:\d+: "com\.shop\.\*" \(prefix\) allows register, publish\n$/,
    );
  });

  it('says what is denied, and what the client hears, exit 1', async () => {
    const { code, stdout, stderr } = await ask(one, '--realm', 'realm1', '--role', 'backend', 'call', 'com.shop.add');
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout.split('\n').map((line) => line.replace(/:\d+:\d+:/, ':L:C:'))).toEqual([
      'denied: role "backend" on realm "realm1" may not call "com.shop.add"',
      '  config.json:L:C: "com.shop.*" (prefix) allows register, publish',
      '  the client gets wamp.error.not_authorized: role "backend" is not authorized to call procedure "com.shop.add"',
      '',
    ]);
  });

  it('is about patterns with --match', async () => {
    const { code, stdout } = await ask(one, 'subscribe', 'com.news', '--match', 'prefix');
    expect(code).toBe(1);
    expect(stdout).toContain(
      'may not subscribe to the pattern "com.news" (prefix)\n  no rule matches the whole pattern\n',
    );
  });

  it('says nothing for certain where an authorizer decides, exit 2, and names each worker', async () => {
    const { code, stdout } = await ask(two, '--role', 'backend', 'call', 'com.x');
    expect(code).toBe(2);
    expect(stdout).toMatch(/^allowed: role "backend" on realm "realm1" of worker "one" may call "com.x"$/m);
    expect(stdout).toMatch(/^unknown: role "backend" on realm "realm1" of worker "two" may or may not call "com.x"$/m);
    expect(await ask(two, '--role', 'backend', 'call', '..')).toMatchObject({ code: 1 });
  });

  it.each<[string, string[]]>([
    [
      'error: there is no role "bakcend", did you mean "backend"? (there are on realm "realm1": "backend")',
      ['call', 'x', '--role', 'bakcend'],
    ],
    [
      'error: there is no realm "realm2", did you mean "realm1"? (there are: "realm1")',
      ['call', 'x', '--realm', 'realm2'],
    ],
    ['error: say what is asked: an action, and a URI behind it', ['call']],
    ['Allowed choices are call, register, publish, subscribe.', ['shout', 'x']],
    [
      'error: --match is for patterns, which one can register and subscribe to, but not call',
      ['call', 'x', '--match', 'prefix'],
    ],
    ["error: unknown option '--rol'\n(Did you mean --role?)", ['call', 'x', '--rol', 'backend']],
  ])('%s: exit 2', async (expected, words) => {
    const { code, stdout, stderr } = await ask(one, ...words);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(expected);
  });

  it('does not go by a config that is wrong, or is not there: exit 2', async () => {
    expect(await ask({ version: 2, workers: [{ type: 'rooter' }] }, 'call', 'x')).toMatchObject({
      code: 2,
      stdout: '',
    });
    const empty = await runCli(['check', '--explain', 'call', 'x', '--cbdir', temporaryDirectory()]);
    expect(empty).toMatchObject({ code: 2, stdout: '' });
    expect(empty.stderr).toMatch(/^crossbar-ts: there is no config\.json or config\.yaml in /);
  });

  it('is what a question needs', async () => {
    for (const [words, stray] of [
      [['call', 'x'], 'call'],
      [['--role', 'backend'], '--role'],
    ] as const) {
      const { code, stderr } = await runCli(['check', '--cbdir', nodeDirectory(one), ...words]);
      expect([code, stderr]).toEqual([1, `error: "${stray}" is for a question: add --explain\n`]);
    }
  });
});
