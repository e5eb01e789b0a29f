/** Node directories and files of the node that lie where pages are served: nobody gets them, and `check` says so. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

const running: Daemon[] = [];
afterEach(async () => {
  for (const node of running.splice(0)) await node.dispose();
});

/** A site with the node directory `site/NAME` and a page. */
function site(name: string, directory: string, cookie: object = { store: { type: 'file', filename: 'cookies.dat' } }) {
  const top = path.join(temporaryDirectory(), 'site');
  const cbdir = path.join(top, name);
  mkdirSync(cbdir, { recursive: true });
  mkdirSync(path.join(top, 'web', '.hidden'), { recursive: true });
  writeFileSync(path.join(top, 'page.txt'), 'page');
  writeFileSync(path.join(top, 'web', 'page.txt'), 'page');
  writeFileSync(path.join(top, 'web', '.hidden', 'x'), 'hidden');
  const config = nodeConfig({
    websocket: { cookie },
    paths: { files: { type: 'static', directory, options: { enable_directory_listing: true } } },
  });
  writeFileSync(path.join(cbdir, 'config.json'), JSON.stringify(config));
  return { top, cbdir };
}

async function start(cbdir: string): Promise<(target: string) => Promise<{ status: number; text: string }>> {
  const node = await startDaemon({ cbdir });
  running.push(node);
  return async (target) => {
    const answer = await fetch(node.url(`/files${target}`), { redirect: 'manual' });
    return { status: answer.status, text: await answer.text() };
  };
}

describe('a node directory without a dot in its name, in a directory that is served', () => {
  it('is not served, not listed, and not reached by a link, and check says that it is there', async () => {
    const { top, cbdir } = site('node', '..');
    symlinkSync('node', path.join(top, 'link'));
    symlinkSync('node/config.json', path.join(top, 'linked.json'));
    const get = await start(cbdir);
    expect(await get('/page.txt')).toEqual({ status: 200, text: 'page' });
    for (const file of [
      '/node/config.json',
      '/node/cookies.dat',
      '/node/node.pid',
      '/node/',
      '/node',
      '/link/config.json',
      '/linked.json',
    ]) {
      expect((await get(file)).status, file).toBe(404);
    }
    const { text } = await get('/');
    expect(text).toContain('page.txt');
    expect(text).not.toMatch(/node|link/);
    const { code, stderr } = await runCli(['check', '--cbdir', cbdir]);
    expect(code).toBe(0);
    expect(stderr).toContain('/paths/files/directory: ".." holds the node directory, which is not served');
  });

  it.each(['.', '../link'])('is refused when it is itself what is served: %s', async (directory) => {
    const { top, cbdir } = site('node', directory);
    symlinkSync('node', path.join(top, 'link'));
    const { code, stderr } = await runCli(['check', '--cbdir', cbdir]);
    expect(code).toBe(1);
    expect(stderr).toContain(`/paths/files/directory: found "${directory}", which is the node directory`);
  });
});

describe('a file of the node in a directory that is served', () => {
  it.each([
    ['beside the node directory', '../web', '../web/cookies.dat'],
    ['below the node directory', 'web', 'web/cookies.dat'],
  ])('is refused by check: %s', async (_where, directory, filename) => {
    const { cbdir } = site('node', directory, { store: { type: 'file', filename } });
    const { code, stderr } = await runCli(['check', '--cbdir', cbdir]);
    expect(code).toBe(1);
    expect(stderr).toContain(`found "${directory}", where "${filename}" is`);
  });

  it('is not served by a link to it', async () => {
    const { top, cbdir } = site('.crossbar', '../web', { store: { type: 'file', filename: '../cookies.dat' } });
    symlinkSync('..', path.join(top, 'web', 'up'));
    const get = await start(cbdir);
    expect((await get('/up/cookies.dat')).status).toBe(404);
    expect((await get('/page.txt')).status).toBe(200);
  });
});

it('a link in a directory that is served leads to what has a name of its own there, not into a hidden directory', async () => {
  const { top, cbdir } = site('.crossbar', '../web');
  mkdirSync(path.join(top, 'web', 'v2'));
  writeFileSync(path.join(top, 'web', 'v2', 'page.txt'), 'second');
  symlinkSync('v2', path.join(top, 'web', 'current'));
  symlinkSync('.hidden', path.join(top, 'web', 'link'));
  const get = await start(cbdir);
  expect(await get('/current/page.txt')).toEqual({ status: 200, text: 'second' });
  expect((await get('/link/x')).status).toBe(404);
  const { text } = await get('/');
  expect(text).toContain('current');
  expect(text).not.toContain('link');
});
