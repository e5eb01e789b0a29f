/** The control socket: what becomes of a request whose asker has gone. */
import { truncateSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { liveLine } from '../../../src/cookie/file/line.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { LENIENT } from '../../../src/cookie/rules.js';
import { silentLogger } from '../../../src/log/logger.js';
import { CONTROL_FILE, ControlClient, ControlServer } from '../../../src/node/control.js';
import type { ControlHandler } from '../../../src/node/control.js';
import { LocalAdministration } from '../../../src/node/cookie-administration.js';
import { cookieRequests } from '../../../src/node/cookie-control.js';
import { cookieId, cookieRecord } from '../../support/cookie-store.js';
import { temporaryDirectory } from '../../support/daemon.js';

async function serve(handlers: Readonly<Record<string, ControlHandler>>): Promise<string> {
  const cbdir = temporaryDirectory();
  const server = await ControlServer.start({ cbdir, handlers, log: silentLogger() });
  onTestFinished(() => server?.stop());
  return cbdir;
}

/** An administration with one store in memory. */
function administered() {
  const store = new MemoryCookieStore();
  const liveCookies = new LiveCookies({ store, rules: LENIENT, clock: Date.now, log: silentLogger() });
  const stores = [{ number: 1, place: 'memory', liveCookies }];
  return { store, administration: new LocalAdministration(() => Promise.resolve(stores), silentLogger()) };
}

function cookieFile(count: number): string {
  const file = path.join(temporaryDirectory(), 'cookies.dat');
  const created = new Date().toISOString();
  const lines = Array.from({ length: count }, (_, n) => liveLine(cookieRecord(cookieId(n), { created })));
  writeFileSync(file, lines.join(''));
  return file;
}

describe('a request whose asker has gone', () => {
  it('is told so, and ends', async () => {
    let ended: (reason: unknown) => void = () => undefined;
    const over = new Promise((resolve) => (ended = resolve));
    let begun: () => void = () => undefined;
    const started = new Promise<void>((resolve) => (begun = resolve));
    const cbdir = await serve({
      async endless(_request, send, signal) {
        begun();
        try {
          for (;;) {
            signal.throwIfAborted();
            await send('still at it');
            await new Promise((resolve) => setImmediate(resolve));
          }
        } catch (error) {
          ended(error);
          throw error;
        }
      },
    });
    const socket = connect(path.join(cbdir, CONTROL_FILE));
    socket.write('{"do":"endless"}\n');
    await started;
    socket.destroy();
    expect(await over).toBeInstanceOf(Error);
  });

  it('is answered when he only has nothing more to ask', async () => {
    const cbdir = await serve({ slow: async (_request, send) => (await send(1), 'done') });
    const socket = connect(path.join(cbdir, CONTROL_FILE));
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.end('{"do":"slow"}\n');
    await once(socket, 'close');
    expect(answer).toBe('{"item":1}\n{"done":"done"}\n');
  });

  it('imports nothing more', async () => {
    const { store, administration } = administered();
    const gone = new AbortController();
    const watch = { signal: gone.signal, onProgress: () => (gone.abort(), Promise.resolve()) };
    await expect(administration.import(cookieFile(3000), undefined, watch)).rejects.toThrow('nobody waits for it');
    expect((await store.list()).length).toBeLessThan(3000);
  });
});

describe('an import', () => {
  it('of a file tells how far it is, and takes all', async () => {
    const { store, administration } = administered();
    const cbdir = await serve(cookieRequests(administration));
    const client = await ControlClient.connect(cbdir);
    onTestFinished(() => client?.close());
    const items: unknown[] = [];
    const report = await client?.ask('cookies.import', { from: cookieFile(2500) }, (item) => items.push(item));
    expect(report).toEqual({ imported: 2500, known: 0, expired: 0, damaged: 0 });
    expect(items.length).toBeGreaterThan(0);
    expect(await store.list()).toHaveLength(2500);
  });

  const fifo = (): string => {
    const file = path.join(temporaryDirectory(), 'fifo');
    execFileSync('mkfifo', [file]);
    return file;
  };
  const zeros = (bytes: number): string => {
    const file = path.join(temporaryDirectory(), 'zeros');
    writeFileSync(file, '');
    truncateSync(file, bytes);
    return file;
  };
  const garbage = (): string => {
    const file = path.join(temporaryDirectory(), 'garbage');
    writeFileSync(file, 'this is no cookie\n'.repeat(1_000_000));
    return file;
  };

  it.each([
    ['a device that has no end', () => '/dev/zero', 'is no regular file'],
    ['a pipe that nobody writes to', fifo, 'is no regular file'],
    ['more than there can be', () => zeros(2 ** 31), 'is larger than 1024 MiB'],
    ['one line without end', () => zeros(64 * 1024 * 1024), 'has a line of more than 16 MiB'],
    ['something else', garbage, 'has more than 16 MiB of lines that cannot be read'],
  ])('of %s is refused', async (_what, make, text) => {
    const { administration } = administered();
    await expect(administration.import(make())).rejects.toThrow(text);
  });
});
