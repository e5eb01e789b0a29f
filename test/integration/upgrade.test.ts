/** `crossbar-ts upgrade`, and nodes of version 1, as a user meets them: real processes and real files. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, lstatSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { symlinkSync, watch, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { nodeDirectory, runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const BIN = path.resolve(import.meta.dirname, '../../bin/crossbar-ts.js');
/** Root may write everywhere. */
const isRoot = process.getuid?.() === 0;

const daemons: Daemon[] = [];
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.dispose();
});

/** A config of version 1: what pages may do is said as it was then. */
function old(more: object = {}): Record<string, unknown> {
  const permissions = [
    { uri: 'com.example.add*', call: true, register: true },
    { uri: 'com.*.news', publish: true, subscribe: true },
  ];
  const realm = { name: 'realm1', roles: [{ name: 'anonymous', permissions }] };
  const websocket = { options: { allowed_origins: ['self'] } };
  const config = nodeConfig({ realms: [realm], websocket }) as Record<string, unknown>;
  delete config['version'];
  return { ...config, ...more };
}

const textOf = (file: string): string => readFileSync(file, 'utf8');

function directory(config: object | string = old(), name?: string) {
  const cbdir = nodeDirectory(config, name);
  const file = path.join(cbdir, name ?? 'config.json');
  return { cbdir, file, before: textOf(file) };
}

const upgrade = (cbdir: string, ...more: string[]) => runCli(['upgrade', '--cbdir', cbdir, ...more]);

const denied = (type: number, request: number) => [8, type, request, {}, 'wamp.error.not_authorized'];

describe('a node of version 1', () => {
  it('starts as it is, with one warning that names the command; a client calls under an upgraded rule', async () => {
    const { cbdir, file, before } = directory();
    const daemon = await startDaemon({ cbdir });
    daemons.push(daemon);
    const warnings = daemon.logs.filter(({ msg }) => msg === 'config warning');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ level: 'warn', line: 1, pointer: '(root)' });
    expect(warnings[0]?.['problem']).toContain('"crossbar-ts upgrade"');

    const url = `ws://127.0.0.1:${daemon.port}/ws`;
    const callee = await WampClient.join(url);
    const caller = await WampClient.join(url);
    const [, , registration] = await callee.ask([64, 1, {}, 'com.example.add2']);
    caller.send([48, 1, {}, 'com.example.add2', [1, 2]]);
    const invocation = await callee.next();
    expect(invocation).toMatchObject([68, expect.any(Number), registration, {}, [1, 2]]);
    callee.send([70, invocation[1], {}, [3]]);
    expect(await caller.next()).toEqual([50, 1, {}, [3]]);
    expect((await caller.ask([48, 2, {}, 'com.example.sub', []])).slice(0, 5)).toEqual(denied(48, 2));
    expect(await caller.ask([32, 3, {}, 'com.shop.news'])).toEqual([33, 3, expect.any(Number)]);
    expect((await caller.ask([32, 4, {}, 'com.shop.other'])).slice(0, 5)).toEqual(denied(32, 4));
    expect(textOf(file)).toBe(before);
  });

  it('is checked as it is', async () => {
    const { cbdir, file } = directory();
    const { code, stdout, stderr } = await runCli(['check', '--cbdir', cbdir]);
    expect([code, stdout]).toEqual([0, `OK: ${file}\n`]);
    expect(stderr).toMatch(/^warning: config\.json:1:1: \(root\): is of version 1, .*"crossbar-ts upgrade".*\n$/);
  });

  it('of Crossbar.io 0.8 is refused with what to do', async () => {
    const { cbdir } = directory({ controller: {}, processes: [] });
    const { code, stderr } = await runCli(['check', '--cbdir', cbdir]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^config\.json:3:3: \/processes: found "processes" of Crossbar\.io 0\.8.*"workers".*\n$/);
  });
});

describe('crossbar-ts upgrade', () => {
  it('writes version 2 and keeps the old file; both have its mode and owner', async () => {
    const { cbdir, file, before } = directory();
    chmodSync(file, 0o640);
    if (isRoot) chownSync(file, 12_345, 23_456);
    const { uid, gid } = statSync(file);
    const { code, stdout, stderr } = await upgrade(cbdir);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${file} is of version 2 now; the old one is ${file}.v1\n`);
    expect(readdirSync(cbdir).sort()).toEqual(['config.json', 'config.json.v1']);
    expect(textOf(`${file}.v1`)).toBe(before);
    expect(textOf(file)).toMatch(/^\{\n {4}"version": 2,\n {4}"controller": \{\},\n/);
    for (const name of [file, `${file}.v1`]) {
      expect(statSync(name)).toMatchObject({ mode: 0o100640, uid, gid });
    }
    expect(await runCli(['check', '--cbdir', cbdir])).toMatchObject({ code: 0, stdout: `OK: ${file}\n`, stderr: '' });
  });

  it('a second time does nothing, and says so in one line', async () => {
    const { cbdir, file } = directory();
    await upgrade(cbdir);
    const written = textOf(file);
    const { mtimeMs, ino } = statSync(file);
    const { code, stdout, stderr } = await upgrade(cbdir);
    expect([code, stdout, stderr]).toEqual([0, `${file} is of version 2 already: nothing to do\n`, '']);
    expect(statSync(file)).toMatchObject({ mtimeMs, ino });
    expect(textOf(file)).toBe(written);
  });

  it('--dry-run prints what would be written, and writes nothing', async () => {
    const { cbdir, file, before } = directory();
    const { code, stdout, stderr } = await upgrade(cbdir, '--dry-run');
    expect([code, stderr]).toEqual([0, '']);
    expect(readdirSync(cbdir)).toEqual(['config.json']);
    expect(textOf(file)).toBe(before);
    await upgrade(cbdir);
    expect(textOf(file)).toBe(stdout);
  });

  it('takes the file that --config names, and YAML keeps its comments', async () => {
    const text = `# ours\n${JSON.stringify(old(), null, 2)} # the end\n`;
    const { cbdir, file } = directory(text, 'node.yaml');
    expect(await upgrade(cbdir, '--config', 'node.yaml')).toMatchObject({ code: 0, stderr: '' });
    expect(textOf(file)).toMatch(/^# ours\n.*version: 2[^]*# the end\n$/);
    expect(textOf(`${file}.v1`)).toBe(text);
  });

  it('leaves a symbolic link a link: what it leads to is replaced', async () => {
    const { cbdir, file, before } = directory();
    const real = path.join(temporaryDirectory(), 'shared.json');
    writeFileSync(real, before);
    rmSync(file);
    symlinkSync(real, file);
    expect(await upgrade(cbdir)).toMatchObject({ code: 0, stderr: '' });
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(textOf(real)).toContain('"version": 2');
    expect(textOf(`${real}.v1`)).toBe(before);
    expect(readdirSync(cbdir)).toEqual(['config.json']);
  });

  it.each([
    ['a config in which something is wrong', old({ nonsense: 1 }), 'config.json', '/nonsense: unknown key'],
    ['a file that is no JSON', '{"workers": [}', 'config.json', 'not valid JSON'],
    ['a file that is no YAML', 'workers: [', 'config.yaml', 'not valid YAML'],
    ['the format of 0.8', { processes: [] }, 'config.json', '/processes: found "processes"'],
  ])('refuses %s, and leaves it untouched', async (_, config, name, message) => {
    const { cbdir, file, before } = directory(config, name);
    const { code, stdout, stderr } = await upgrade(cbdir);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(readdirSync(cbdir)).toEqual([name]);
    expect(textOf(file)).toBe(before);
  });

  it('refuses when there is another file of that name already', async () => {
    const { cbdir, file, before } = directory();
    writeFileSync(`${file}.v1`, 'precious');
    const { code, stderr } = await upgrade(cbdir);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `crossbar-ts: ${file} cannot be replaced and is untouched: ${file}.v1 is there already, with something else in it; move it away first\n`,
    );
    expect([textOf(file), textOf(`${file}.v1`)]).toEqual([before, 'precious']);
    expect(readdirSync(cbdir).sort()).toEqual(['config.json', 'config.json.v1']);
  });

  it('in a directory that cannot be written leaves the file as it is', async () => {
    const { cbdir, file, before } = directory();
    chmodSync(path.dirname(cbdir), 0o755);
    chmodSync(cbdir, 0o555);
    const child = spawn(process.execPath, [BIN, 'upgrade', '--cbdir', cbdir], {
      cwd: '/',
      ...(isRoot && { uid: 65_534, gid: 65_534 }),
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(stderr).toMatch(
      /^crossbar-ts: .*config\.json cannot be replaced and is untouched: EACCES: permission denied/,
    );
    expect(readdirSync(cbdir)).toEqual(['config.json']);
    expect(textOf(file)).toBe(before);
  });

  it('killed at any moment leaves the old file or the new one, and the next run ends the work', async () => {
    // Long enough that the death comes into the middle of the writing.
    const title = 'x'.repeat(1_000_000);
    const config = old({ $schema: title });
    const { stdout: after } = await upgrade(directory(config).cbdir, '--dry-run');
    for (const changes of [1, 2, 3, 4, 5]) {
      const { cbdir, file, before } = directory(config);
      await killedAfter(changes, cbdir);
      expect([before, after].includes(textOf(file))).toBe(true);
      const kept = readdirSync(cbdir).includes('config.json.v1');
      if (kept) expect(textOf(`${file}.v1`) === before).toBe(true);
      else expect(textOf(file) === before).toBe(true);
      expect(await upgrade(cbdir)).toMatchObject({ code: 0 });
      expect(textOf(file) === after).toBe(true);
      expect(textOf(`${file}.v1`) === before).toBe(true);
    }
  });
});

/** Kills `upgrade` when the directory has changed so many times; it may have ended before. */
async function killedAfter(changes: number, cbdir: string): Promise<void> {
  const watcher = watch(cbdir);
  const child = spawn(process.execPath, [BIN, 'upgrade', '--cbdir', cbdir], { stdio: 'ignore' });
  let seen = 0;
  watcher.on('change', () => {
    seen += 1;
    if (seen >= changes) child.kill('SIGKILL');
  });
  await once(child, 'close');
  watcher.close();
}
