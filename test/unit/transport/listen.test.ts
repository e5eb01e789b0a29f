/** Socket files: made, replaced when stale, left alone when somebody else has them. Ports are tested with the servers. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen, ListenError } from '../../../src/transport/listen.js';

let directory: string;
const servers: Server[] = [];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'listen-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) if (server.listening) await closed(server);
  rmSync(directory, { recursive: true });
});

function newServer(): Server {
  // The look whether anybody is there ends in a reset.
  const server = createServer((socket) => socket.on('error', () => undefined).end('here'));
  servers.push(server);
  return server;
}

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

const endpoint = (file: string) => ({ type: 'unix', path: file, backlog: 5 }) as const;

async function greeting(file: string): Promise<string> {
  const socket = connect(file);
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return data.toString();
}

describe('a socket file', () => {
  it('is made, answers, and is gone when the server closes', async () => {
    const file = path.join(directory, 'a.sock');
    const server = newServer();
    expect(await listen(server, endpoint(file))).toEqual({ path: file });
    expect(await greeting(file)).toBe('here');
    await closed(server);
    expect(existsSync(file)).toBe(false);
  });

  it('that somebody listens on is not taken away', async () => {
    const file = path.join(directory, 'a.sock');
    await listen(newServer(), endpoint(file));
    const second = listen(newServer(), endpoint(file));
    await expect(second).rejects.toThrow(ListenError);
    await expect(second).rejects.toThrow(
      `cannot listen on ${file}: another program listens on this socket (EADDRINUSE)`,
    );
    expect(await greeting(file)).toBe('here');
  });

  it('is no other kind of file', async () => {
    const file = path.join(directory, 'a.sock');
    writeFileSync(file, 'precious');
    await expect(listen(newServer(), endpoint(file))).rejects.toThrow('a file that is no socket has this name');
    expect(existsSync(file)).toBe(true);
  });

  it('needs its directory, and a name that is not too long', async () => {
    const missing = path.join(directory, 'missing', 'a.sock');
    await expect(listen(newServer(), endpoint(missing))).rejects.toThrow(ListenError);
    const long = path.join(directory, 'a'.repeat(107));
    await expect(listen(newServer(), endpoint(long))).rejects.toThrow('longer than 107 bytes');
  });
});
