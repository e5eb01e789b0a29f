/** Socket files: made, replaced when stale, left alone when somebody else has them. Ports are tested with the servers. */
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listen, ListenError } from '../../../../src/transport/listen/listen.js';

/** For what takes no time worth mentioning. */
const DEADLINE = { timeout: 10_000 };

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

const endpoint = (file: string) => ({ type: 'unix', path: file, mode: '0660', backlog: 5 }) as const;

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

  it.each(['0660', '0666', '600'])('has the mode %s, whatever the umask is, and the group', async (mode) => {
    const file = path.join(directory, 'a.sock');
    const gid = process.getgid?.() ?? 0;
    await listen(newServer(), { ...endpoint(file), mode, group: gid });
    expect((statSync(file).mode & 0o777).toString(8)).toBe(mode.slice(-3));
    expect(statSync(file).gid).toBe(gid);
    // Nothing is left of how it was made.
    expect(readdirSync(directory)).toEqual(['a.sock']);
  });

  it('is not seen under its name before its mode is right', async () => {
    const file = path.join(directory, 'a.sock');
    const seen: string[] = [];
    const watcher = watch(directory, (_event, name) => {
      if (name === 'a.sock' && existsSync(file)) seen.push((statSync(file).mode & 0o777).toString(8));
    });
    await listen(newServer(), { ...endpoint(file), mode: '0606' });
    await vi.waitFor(() => expect(seen).not.toEqual([]), DEADLINE);
    watcher.close();
    expect(new Set(seen)).toEqual(new Set(['606']));
  });

  it('needs a group that is there', async () => {
    const file = path.join(directory, 'a.sock');
    const server = newServer();
    await expect(listen(server, { ...endpoint(file), group: 'no such group' })).rejects.toThrow(
      `cannot listen on ${file}: no group "no such group" in /etc/group`,
    );
    expect(server.listening).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('that another server has replaced is not removed', async () => {
    const file = path.join(directory, 'a.sock');
    const old = newServer();
    await listen(old, endpoint(file));
    unlinkSync(file);
    await listen(newServer(), endpoint(file));
    await closed(old);
    expect(await greeting(file)).toBe('here');
  });

  it('that was left behind is replaced', async () => {
    const file = path.join(directory, 'a.sock');
    const gone = newServer();
    await listen(gone, endpoint(file));
    linkSync(file, path.join(directory, 'kept'));
    await closed(gone);
    renameSync(path.join(directory, 'kept'), file);
    await listen(newServer(), endpoint(file));
    expect(await greeting(file)).toBe('here');
  });
});
