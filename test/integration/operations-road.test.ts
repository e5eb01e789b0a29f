/**
 * docs/operations.md from top to bottom: its files and all its commands, in order, in an empty directory. Real are npm, nginx, HAProxy,
 * openssl, curl and promtool. In the place of root's directories and of fixed ports are some of the test. There is no systemd: what
 * `systemctl` does to a service, a script does with `ExecStart` of the unit that the page installs; test/integration/systemd.test.ts
 * has systemd look at that unit. Images are not built: test/integration/container-image.test.ts reads the Dockerfile.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { freePorts } from '../support/ports.js';
import { Road } from '../support/road.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const hasAll = [
  ['/usr/sbin/nginx', '-v'],
  ['haproxy', '-v'],
  ['curl', '--version'],
  ['promtool', '--version'],
  ['openssl', 'version'],
].every(([program = '', ...args]) => spawnSync(program, args).status === 0);

/** What stands in the place of `/`. */
const top = temporaryDirectory();
const inTop = (text: string): string => text.replaceAll(/(?<![\w./:])\/(?=(?:etc|var\/lib|run|srv)\/)/g, `${top}/`);

/** Does to the node, and to nginx, what systemd would. */
const SYSTEMCTL = `#!/bin/bash
set -eu
cd ${top}
pid() { sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' run/crossbar-ts/node.pid; }
start() {
  mkdir -p run/crossbar-ts var/lib/crossbar-ts
  command=$(sed -n 's/^ExecStart=//p' etc/systemd/system/crossbar-ts.service)
  command=$(sed 's#/usr/bin/crossbar-ts#crossbar-ts#; s# /etc/# ${top}/etc/#g; s# /run/# ${top}/run/#g; s# /var/# ${top}/var/#g' <<< "$command")
  $command >> journal 2>&1 &
  until [ -e run/crossbar-ts/node.pid ] && crossbar-ts status --cbdir etc/crossbar-ts --rundir run/crossbar-ts --assert ready
  do kill -0 $! || { cat journal >&2; exit 1; }; sleep 0.1; done
}
stop() { node=$(pid); kill -TERM "$node"; tail --pid="$node" -f /dev/null; }
case "$*" in
  daemon-reload) grep -q ^ExecStart= etc/systemd/system/crossbar-ts.service ;;
  'enable --now crossbar-ts' | 'start crossbar-ts') start ;;
  'stop crossbar-ts') stop ;;
  'restart crossbar-ts') stop; start ;;
  'reload crossbar-ts') kill -HUP "$(pid)" ;;
  'reload nginx') nginx ;;
  *) echo "systemctl $* is not known here" >&2; exit 1 ;;
esac
`;
const NGINX = `#!/bin/bash\nexec /usr/sbin/nginx -p ${top} -c ${top}/nginx.conf "$@"\n`;
const JOURNALCTL = `#!/bin/bash\ncat ${top}/journal\n`;
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path t;`).join(' ');
const NGINX_CONF = `error_log nginx.log; pid nginx.pid;
events {}
http { access_log off; ${temporary} include ${top}/etc/nginx/conf.d/*.conf; }
`;

/** The mark of blocks that need what a test cannot have. */
const NEEDS = /^# needs (\w+)$/;

describeNeeds('nginx, HAProxy, curl, promtool and openssl', hasAll)('docs/operations.md', () => {
  let road: Road;
  const paths = process.env['PATH'] ?? '';
  beforeAll(async () => {
    const places = [8080, 8081, 8082, 9080, 443];
    const ports = new Map((await freePorts(places.length)).map((port, index) => [String(places[index]), port]));
    const https = String(ports.get('443'));
    road = new Road('operations.md', (text) =>
      inTop(text)
        .replaceAll(/\b(8080|8081|8082|9080)\b/g, (port) => String(ports.get(port)))
        .replaceAll('listen 443 ssl', `listen 127.0.0.1:${https} ssl`)
        .replaceAll('chat.example.com:443:', `chat.example.com:${https}:`)
        .replaceAll('https://chat.example.com/readyz', `https://chat.example.com:${https}/readyz`)
        .replaceAll('init --template minimal', `init --template minimal --port ${String(ports.get('8080'))}`)
        .replaceAll(/npm install --global crossbar-ts(@latest)?$/gm, 'crossbar-ts version'),
    );
    for (const place of ['etc/ssl', 'etc/nginx/conf.d', 'etc/systemd/system', 'bin'])
      mkdirSync(path.join(top, place), { recursive: true });
    for (const [name, text] of Object.entries({ systemctl: SYSTEMCTL, nginx: NGINX, journalctl: JOURNALCTL })) {
      writeFileSync(path.join(top, 'bin', name), text);
      chmodSync(path.join(top, 'bin', name), 0o755);
    }
    writeFileSync(path.join(top, 'nginx.conf'), NGINX_CONF);
    process.env['PATH'] = [path.join(top, 'bin'), path.join(road.cwd, 'node_modules/.bin'), paths].join(':');
  });

  afterAll(() => {
    process.env['PATH'] = paths;
    const files = [
      ...['run/crossbar-ts/node.pid', 'nginx.pid'].map((file) => path.join(top, file)),
      ...['.crossbar/node.pid', 'a/node.pid', 'b/node.pid', 'haproxy.pid'].map((file) => path.join(road.cwd, file)),
    ];
    for (const file of files.filter((each) => existsSync(each))) {
      const pid = Number(/\d+/.exec(readFileSync(file, 'utf8'))?.[0]);
      if (pid > 1) spawnSync('kill', ['-KILL', String(pid)]);
    }
  });

  it('is a road: every command does what it says, one after the other', async () => {
    road.writeFiles();
    const done: string[] = [];
    for (const { text } of road.blocks.filter(({ language }) => language === 'sh')) {
      const [first = '', ...rest] = text.trim().split('\n');
      const needed = NEEDS.exec(first)?.[1];
      if (needed === 'Docker') {
        const head = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8').replaceAll(/^# +/gm, '');
        for (const line of rest)
          expect(inTop(head).replaceAll('-p 8080:8080', '')).toContain(line.replace(/-p \d+:\d+/, ''));
        continue;
      }
      const commands = needed === undefined ? [first, ...rest] : rest;
      await road.run(commands);
      done.push(...commands);
    }
    expect(
      done.filter((line) => /^(nginx|haproxy|curl|promtool|systemctl|crossbar-ts|npx)\b/.test(line)).length,
    ).toBeGreaterThan(40);
  }, 480_000);
});
