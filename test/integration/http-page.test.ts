/** docs/http.md: its config, and each command and program in their order. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { expect, it, onTestFinished } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import { WampClient } from '../support/wamp-client.js';

const PAGE = readFileSync(path.resolve(import.meta.dirname, '../../docs/http.md'), 'utf8');
const run = promisify(execFile);

interface Block {
  readonly kind: string;
  readonly text: string;
}

const BLOCKS: readonly Block[] = [...PAGE.matchAll(/^```(\w+)\n([^]*?)^```/gm)].map(([, kind = '', text = '']) => ({
  kind,
  text,
}));

/** What runs the programs of the page: the file of each is given to it. */
const PROGRAMS: Readonly<Record<string, readonly [program: string, extension: string]>> = {
  bash: ['/bin/bash', 'sh'],
  python: ['/usr/bin/python3', 'py'],
  js: [process.execPath, 'mjs'],
  perl: ['/usr/bin/perl', 'pl'],
};

/** The same text, whatever the ids. */
const comparable = (text: string): string => text.replaceAll(/\b\d{6,16}\b/g, 'ID').trim();

it('docs/http.md: every command and program does what the page says', async () => {
  const config: unknown = JSON.parse(BLOCKS.find(({ kind }) => kind === 'json')?.text ?? '');
  const secret = { BRIDGE_SECRET: 'the secret of the bridge' };
  const daemon = await startDaemon({ config: withFreePort(config), env: secret });
  onTestFinished(() => daemon.dispose());
  const here = (text: string): string => text.replaceAll('http://127.0.0.1:8080', daemon.url('').replace(/\/$/, ''));

  const page = await WampClient.join(daemon.url('/ws', 'ws'));
  for (const [request, topic] of ['com.example.hello', 'com.example.hook'].entries()) {
    expect((await page.ask([32, request + 1, {}, topic]))[0]).toBe(33);
  }
  const [, , registration] = await page.ask([64, 3, {}, 'com.example.add']);

  const directory = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-http-page-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const events: unknown[][] = [];
  let commands = 0;
  for (const [at, { kind, text }] of BLOCKS.entries()) {
    const program = PROGRAMS[kind === 'sh' ? 'bash' : kind];
    if (program === undefined || text.includes('new autobahn.Connection')) continue;
    commands += 1;
    const file = path.join(directory, `program${String(at)}.${program[1]}`);
    writeFileSync(file, here(text));
    const running = run(program[0], [file], { env: { ...process.env, ...secret }, timeout: 60_000 });
    if (text.includes('com.example.add')) {
      const [type, request, id, , [a, b]] = (await page.next()) as [number, number, number, unknown, number[]];
      expect([type, id]).toEqual([68, registration]);
      page.send([70, request, {}, [Number(a) + Number(b)]]);
    } else if (/com\.example\.hello|\/hook/.test(text)) events.push(await page.next());
    const { stdout } = await running;
    const shown = BLOCKS[at + 1];
    expect(comparable(stdout), text).toBe(comparable(shown?.kind === 'text' ? shown.text : '{"id":1234567}'));
  }
  expect(commands).toBe(8);
  expect(events.map(([, , , , args]) => args)).toEqual([
    ['Hello', 23],
    ...['a shell', 'Python', 'Node.js', 'Perl'].map((program) => [`from ${program}`]),
    [{ headers: expect.objectContaining({ 'X-Event': ['paid'] }) as unknown, body: 'invoice=42' }],
  ]);
});

/** The page names a port, so that it can be typed. */
function withFreePort(config: unknown): object {
  return JSON.parse(JSON.stringify(config).replace('"port":8080', '"port":0')) as object;
}
