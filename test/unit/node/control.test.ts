/** The control socket: what becomes of a request whose asker has gone. */
import { connect } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { StoreManagement } from '../../../src/cookie/management.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { LENIENT } from '../../../src/cookie/rules.js';
import { silentLogger } from '../../../src/log/logger.js';
import { CONTROL_FILE, ControlClient, ControlServer } from '../../../src/node/control.js';
import type { ControlHandler } from '../../../src/node/control.js';
import { cookieRequests } from '../../../src/node/cookie-control.js';
import { cookieFile } from '../../support/cookie-store.js';
import { temporaryDirectory } from '../../support/daemon.js';

async function serve(handlers: Readonly<Record<string, ControlHandler>>): Promise<string> {
  const cbdir = temporaryDirectory();
  const server = await ControlServer.start({ cbdir, handlers, log: silentLogger() });
  onTestFinished(() => server?.stop());
  return cbdir;
}

/** The management of one store in memory. */
function managed() {
  const store = new MemoryCookieStore();
  const liveCookies = new LiveCookies({ store, rules: LENIENT, clock: Date.now, log: silentLogger() });
  const stores = [{ number: 1, place: 'memory', liveCookies }];
  return { store, management: new StoreManagement(() => Promise.resolve(stores), silentLogger()) };
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
});

describe('an import', () => {
  it('tells how far it is, and takes all', async () => {
    const { store, management } = managed();
    const cbdir = await serve(cookieRequests(management));
    const client = await ControlClient.connect(cbdir);
    onTestFinished(() => client?.close());
    const items: unknown[] = [];
    const report = await client?.ask('cookies.import', { from: cookieFile(temporaryDirectory(), 2500) }, (item) => {
      items.push(item);
    });
    expect(report).toEqual({ imported: 2500, known: 0, expired: 0, damaged: 0 });
    expect(items.length).toBeGreaterThan(0);
    expect(await store.list()).toHaveLength(2500);
  });
});
