/**
 * Socket files: who may connect is decided before anybody can, and a file that somebody listens on is never taken away.
 *
 *     a directory that only we can enter -> bind in there -> mode and group -> a link under the real name -> the rest is gone
 *
 * The umask has no say: it belongs to the whole process, and the file would be open too wide, or not wide enough, by accident.
 */
import { constants, lstatSync, unlinkSync } from 'node:fs';
import { access, chmod, chown, link, lstat, mkdtemp, readFile, readlink, rm, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import path from 'node:path';
import { errorCode } from '../../system/error.js';
import { bind } from './bind.js';
import type { UnixEndpointConfig } from '../endpoint-schema.js';

/** What fits into the address of a socket file on Linux; the system would cut the rest off without a word. */
const MAX_PATH_BYTES = 107;

/** Of the socket in the directory that is made for it: `/.abcdef/s`. */
const ROOM_BYTES = 10;

const NO_SOCKET = 'a file that is no socket has this name';

/** @throws Error in words of ours, or of the system. */
export async function listenOnFile(server: Server, { path: file, backlog, mode, group }: UnixEndpointConfig) {
  const directory = path.dirname(file);
  checkLength(file);
  const gid = group === undefined ? undefined : await groupId(group);
  const room = await mkdtemp(`${directory}${path.sep}.`);
  const inside = path.join(room, 's');
  try {
    await bind(server, { path: inside, backlog });
    await chmod(inside, Number.parseInt(mode, 8));
    if (gid !== undefined) await changeGroup(inside, gid);
    await show(inside, file);
  } catch (error) {
    if (server.listening) server.close();
    throw error;
  } finally {
    await rm(room, { recursive: true, force: true });
  }
  removeAtTheEnd(server, file);
}

/**
 * What {@link listenOnFile} needs, as far as it shows without listening. Whether somebody listens there already is not asked.
 * @throws Error in words of ours, or of the system.
 */
export async function checkSocketFile({ path: file, group }: UnixEndpointConfig): Promise<void> {
  checkLength(file);
  if (group !== undefined) await groupId(group);
  const directory = path.dirname(file);
  // With the slash a file in the place of the directory is an error.
  await access(`${directory}${path.sep}`, constants.W_OK | constants.X_OK);
  try {
    if (!(await lstat(file)).isSocket()) throw new Error(NO_SOCKET);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

function checkLength(file: string): void {
  const directory = path.dirname(file);
  if (Buffer.byteLength(file) <= MAX_PATH_BYTES && Buffer.byteLength(directory) + ROOM_BYTES <= MAX_PATH_BYTES) return;
  throw new Error(
    `the path is longer than ${MAX_PATH_BYTES} bytes, or that of its directory than ${MAX_PATH_BYTES - ROOM_BYTES}`,
  );
}

/** Gives the socket its name, unless somebody listens under it. */
async function show(inside: string, file: string): Promise<void> {
  try {
    await link(inside, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    await removeStale(file);
    await link(inside, file);
  }
}

/** @throws when somebody listens on the socket, and for a file that is no socket. */
async function removeStale(file: string): Promise<void> {
  if (!(await lstat(file)).isSocket()) throw new Error(NO_SOCKET);
  if (await isAnswered(file)) {
    throw Object.assign(new Error('another program listens on this socket'), { code: 'EADDRINUSE' });
  }
  await unlink(file);
}

/** A socket file that nobody listens on refuses connections. */
function isAnswered(file: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(file);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      const code = errorCode(error) ?? '';
      if (code === 'ECONNREFUSED') resolve(false);
      // A full backlog: somebody is there, only busy.
      else if (code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

/** Node.js would remove the name under which it was bound. Another node may have replaced the file in the meantime. */
function removeAtTheEnd(server: Server, file: string): void {
  const { ino, dev } = lstatSync(file);
  server.once('close', () => {
    try {
      const now = lstatSync(file);
      if (now.ino === ino && now.dev === dev) unlinkSync(file);
    } catch {
      // It is gone, or cannot be removed: then the next start replaces it.
    }
  });
}

/** @returns the path of a socket that another process has made; undefined where the system does not tell. */
export async function socketFileOf(fd: number): Promise<string | undefined> {
  try {
    const inode = /\[(\d+)\]/.exec(await readlink(`/proc/self/fd/${fd}`))?.[1] ?? '';
    const sockets = await readFile('/proc/self/net/unix', 'utf8');
    return new RegExp(`\\s${inode}\\s(/.*)$`, 'm').exec(sockets)?.[1];
  } catch {
    return undefined; // not Linux, or no /proc
  }
}

/** @returns the number of a group; Node.js cannot ask the system, so a name has to stand in /etc/group. */
async function groupId(group: string | number): Promise<number> {
  if (typeof group === 'number') return group;
  const lines = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
  const gid = lines.find(([name]) => name === group)?.[2];
  if (gid === undefined)
    throw new Error(`no group "${group}" in /etc/group (one from elsewhere is written as its number)`);
  return Number(gid);
}

async function changeGroup(file: string, gid: number): Promise<void> {
  try {
    await chown(file, -1, gid);
  } catch (cause) {
    if (errorCode(cause) !== 'EPERM') throw cause;
    throw new Error(`the group ${gid} cannot be given: the user of the node is not in it`, { cause });
  }
}
