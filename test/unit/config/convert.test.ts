/** A config in the other format has the same values in the same order, and says when comments are lost. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { convertConfig } from '../../../src/config/convert/convert.js';
import { loadConfig } from '../../../src/config/load.js';

let cbdir: string;
beforeEach(() => void (cbdir = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-convert-'))));
afterEach(() => rmSync(cbdir, { recursive: true, force: true }));

async function converted(name: string, text: string) {
  writeFileSync(path.join(cbdir, name), text);
  return convertConfig({ cbdir, env: {} });
}

// `full.yaml` has every key that there is, with comments.
it.each(['full.yaml', 'authentication.json'])(
  '%s means the same in the other format, and back in its own',
  async (name) => {
    mkdirSync(path.join(cbdir, 'secrets'));
    for (const secret of ['pat', 'worker', 'cookies', 'github']) {
      writeFileSync(path.join(cbdir, `secrets/${secret}.txt`), 'a secret, long enough\n', { mode: 0o600 });
    }
    writeFileSync(path.join(cbdir, 'secrets/joe.key'), 'ab'.repeat(32), { mode: 0o600 });
    const env = { PORT: '8080', JOE_TICKET: 'secret', COOKIE_SECRET: 'a secret, long enough' };
    const own = `config${path.extname(name)}`;
    const options = { cbdir, env, config: own };
    writeFileSync(path.join(cbdir, own), readFileSync(path.join('config', name)));
    const before = await loadConfig(options);
    const there = await convertConfig(options);
    expect(path.basename(there.converted)).toBe(own === 'config.json' ? 'config.yaml' : 'config.json');
    writeFileSync(there.converted, there.text);
    expect((await loadConfig({ ...options, config: there.converted })).config).toEqual(before.config);
    const back = await convertConfig({ ...options, config: there.converted });
    writeFileSync(back.converted, back.text);
    expect((await loadConfig(options)).config).toEqual(before.config);
  },
);

it('what looks like something else in YAML stays text, and keys keep their order', async () => {
  const tickets = ['yes', 'no', '1', '1.0', 'null', '~', '#a', 'a: b', ' a ', '0x10', '2001-01-01', 'é\n', '*x', '&y'];
  const principals = Object.fromEntries(tickets.map((ticket, i) => [`z${9 - i}user`, { ticket, role: 'anonymous' }]));
  const config = {
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [
          { name: 'realm1', roles: [{ name: 'anonymous', permissions: [{ uri: '*', allow: { call: true } }] }] },
        ],
        transports: [
          {
            type: 'websocket',
            endpoint: { type: 'tcp', port: 8080 },
            auth: { ticket: { type: 'static', principals } },
          },
        ],
      },
    ],
  };
  const { text, losesComments } = await converted('config.json', JSON.stringify(config));
  expect(losesComments).toBe(false);
  rmSync(path.join(cbdir, 'config.json'));
  const back = await converted('config.yaml', text);
  expect(back.text).toBe(`${JSON.stringify(config, null, 2)}\n`);
  expect(back.losesComments).toBe(false);
});

it('says that comments are lost, and takes nothing else for one', async () => {
  const rest = 'version: 2\nworkers:\n  - type: router\n    realms: []\n    transports: []\n';
  expect((await converted('config.yaml', `${rest}controller:\n  options:\n    title: "x # y"\n`)).losesComments).toBe(
    false,
  );
  expect((await converted('config.yaml', `${rest}# the end\n`)).losesComments).toBe(true);
  expect((await converted('config.yaml', `# the beginning\n${rest}`)).losesComments).toBe(true);
});

it('a config that is wrong is not converted', async () => {
  await expect(converted('config.json', '{"version": 2, "wokers": []}')).rejects.toMatchObject({
    code: 'ERR_CONFIG_INVALID',
  });
});
