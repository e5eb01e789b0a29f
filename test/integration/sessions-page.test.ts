/** docs/sessions.md: every command of it, in its order, on a node like the one that it shows. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { runCli, startDaemon } from '../support/daemon.js';
import { ALLOW_ALL, LOOPBACK } from '../support/node-config.js';
import { configWith, directoryWith } from '../support/node-directory.js';
import { RawSocketClient } from '../support/rawsocket-client.js';
import { ALL_ROLES, WampClient } from '../support/wamp-client.js';

const PAGE = readFileSync(path.resolve(import.meta.dirname, '../../docs/sessions.md'), 'utf8');
/** The id of the session in the page that commands are about. */
const BILLING = '8461820391337002';
const MODULE = `export default async (session) => { await session.register('com.example.price', () => 1); }`;

interface Step {
  readonly command: string;
  /** What it prints; undefined where the page does not say. */
  readonly shown: string | undefined;
}

/** Each command with the block behind it. */
function steps(): Step[] {
  const blocks = [...PAGE.matchAll(/^```(sh|text)\n([^]*?)^```/gm)].map(([, kind, text = '']) => ({ kind, text }));
  return blocks.flatMap(({ kind, text }, at) => {
    if (kind !== 'sh') return [];
    const next = blocks[at + 1];
    const commands = text.trimEnd().split('\n');
    return commands.map((command) => ({ command, shown: next?.kind === 'sh' ? undefined : next?.text }));
  });
}

/** The arguments of a command line with at most double quotes. */
function argumentsOf(command: string): string[] {
  expect(command).toMatch(/^npx crossbar-ts /);
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word = '']) => quoted ?? word).slice(2);
}

/** Without what is different each time: ids, times, ports, digests, and how wide the columns are. */
function comparable(text: string): string {
  return text
    .replaceAll(/\b\d{6,16}\b/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replaceAll(/(?<=ID +)[\w-]{16}(?= +anonymous)/g, 'DIGEST')
    .replaceAll(/ +/g, ' ');
}

it('docs/sessions.md: every command does what the page says', async () => {
  const roles = ['anonymous', 'backend'].map((name) => ({ name, permissions: ALLOW_ALL }));
  const principals = { billing: { ticket: 'the ticket of billing', role: 'backend' } };
  const auth = { ticket: { type: 'static', principals } };
  const config = configWith([{ id: 'prices', module: './prices.mjs', role: 'backend' }], {
    realms: [{ name: 'realm1', roles }],
    websocket: { cookie: {} },
    transports: [{ type: 'rawsocket', id: 'raw', endpoint: LOOPBACK, auth }],
  });
  const daemon = await startDaemon({ cbdir: directoryWith({ 'prices.mjs': MODULE }), config });
  onTestFinished(() => daemon.dispose());

  const billing = await RawSocketClient.connect({ port: Number(daemon.listening()[1]?.['port']) });
  onTestFinished(() => void billing.wire.socket.destroy());
  const hello = [1, 'realm1', { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'billing' }];
  expect((await billing.ask(hello))[0]).toBe(4);
  const [, id] = await billing.ask([5, 'the ticket of billing', {}]);
  await billing.ask([64, 1, {}, 'com.example.bill']);
  const visitor = await WampClient.join(daemon.url('/ws', 'ws'));
  await visitor.ask([32, 1, {}, 'com.example.news']);

  const outputs: string[] = [];
  for (const { command, shown } of steps()) {
    const words = argumentsOf(command.replaceAll(BILLING, String(id)));
    const { code, stdout, stderr } = await runCli([...words, '--cbdir', daemon.cbdir]);
    expect([command, code, stderr]).toEqual([command, 0, '']);
    if (shown !== undefined) expect(comparable(stdout)).toBe(comparable(shown));
    outputs.push(stdout);
  }
  expect(outputs).toHaveLength(8);
  expect(outputs.join('')).not.toContain('the ticket');
  expect(await billing.next()).toEqual([6, {}, 'wamp.close.killed']);
  expect(await visitor.next()).toEqual([6, { message: 'please log in again' }, 'wamp.close.logout']);
  expect(outputs.at(-1)).toContain('was the component prices of the node');
});
