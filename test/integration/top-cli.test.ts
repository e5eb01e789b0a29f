/** `crossbar-ts top`, against a real node: at a terminal, and where there is none. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { configWith } from '../support/node-directory.js';
import { WampClient } from '../support/wamp-client.js';
import type { JoinedClient } from '../support/wamp-client.js';

const BIN = path.resolve(import.meta.dirname, '../../bin/crossbar-ts.js');
/** Of Debian's bsdutils: gives a program a terminal. */
const hasTerminals = spawnSync('script', ['--version']).status === 0;

let daemon: Daemon;
let client: JoinedClient;
beforeAll(async () => {
  daemon = await startDaemon({ config: configWith([], {}) });
  client = await WampClient.join(daemon.url('/ws', 'ws'), 'realm1');
});
afterAll(async () => {
  await client.drop();
  await daemon.dispose();
});

describe('top', () => {
  it('prints one table where there is no terminal', async () => {
    const { code, stdout, stderr } = await runCli(['top', '--cbdir', daemon.cbdir]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^crossbar-ts \S+ {3}\S+ {3}pid \d+ {3}up \d+s {3}memory \d+M {3}cpu \d+ %\n1 session {3}/);
    expect(stdout).toMatch(/messages in \d+\/s, out \d+\/s/);
    expect(stdout).toContain('1 session by messages');
    expect(stdout).toMatch(new RegExp(`\nrealm1 +${client.sessionId} `));
    expect(stdout).not.toContain('\u001b');
  });

  it('prints JSON, and no cookie id', async () => {
    const args = ['top', '--json', '--once', '--sort', 'unsent_bytes', '--cbdir', daemon.cbdir];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      realms: [{ worker: expect.any(String) as string, realm: 'realm1', sessions: 1 }],
      sessions: { total: 1, next: null, entries: [{ session: client.sessionId, received: 1 }] },
    });
  });

  it('says that no node runs', async () => {
    const { code, stdout, stderr } = await runCli(['top', '--cbdir', temporaryDirectory()]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('no node runs on ');
  });

  it('knows its orders', async () => {
    const { code, stderr } = await runCli(['top', '--sort', 'beauty', '--cbdir', daemon.cbdir]);
    expect(code).toBe(1);
    expect(stderr).toContain('Allowed choices are messages_rate, received_rate,');
  });

  it.skipIf(!hasTerminals)('draws at a terminal, takes keys, and leaves the terminal as it was', async () => {
    const command = `${process.execPath} ${BIN} top --cbdir ${daemon.cbdir}`;
    const child = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill());
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    const seen = async (text: string): Promise<void> => {
      while (!shown.includes(text)) await once(child.stdout, 'data');
    };
    await seen('by messages_rate   q: end');
    child.stdin.write('s');
    await seen('by received_rate   q: end');
    child.stdin.write('S');
    child.stdin.write('q');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(shown.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
    expect(shown).toMatch(/\u001b\[\?25h\u001b\[\?1049l\s*$/);
  });
});
