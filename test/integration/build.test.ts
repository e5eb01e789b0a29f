/** What is in `dist/`: the code that people run is made of `src/`, but it is not the same files. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ValidateFunction } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';

import { parseJson } from '../../src/config/source/json.js';
import { plainValue } from '../../src/config/source/source.js';
import { LineIndex } from '../../src/config/source/text.js';
import { validator } from '../../src/config/validator.js';
import { parseYaml } from '../../src/config/source/yaml.js';
import { nodeDirectory, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { DaemonOptions } from '../support/daemon.js';
import { LOOPBACK, nodeConfig, openRealm } from '../support/node-config.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DIST = path.join(ROOT, 'dist');

describe('the generated validator', () => {
  let generated: ValidateFunction;
  beforeAll(async () => {
    const { href } = pathToFileURL(path.join(DIST, 'config/validator.js'));
    generated = ((await import(href)) as { validator: () => ValidateFunction }).validator();
  });

  const configs = ['config', 'test/fixtures/config/valid', 'test/fixtures/config/invalid'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((name) => /\.(json|yaml)$/.test(name))
      .map((name) => path.join(folder, name)),
  );

  it.each(configs)('finds in %s what ajv finds, and fills the same defaults in', (file) => {
    const [ours, theirs] = [valueOf(file), valueOf(file)];
    expect(generated(ours)).toBe(validator()(theirs));
    expect(errorsOf(generated)).toEqual(errorsOf(validator()));
    expect(ours).toEqual(theirs);
  });

  it('is tried with configs that are right and with many that are wrong', () => {
    const [right, wrong] = [true, false].map((verdict) =>
      configs.filter((file) => generated(valueOf(file)) === verdict),
    );
    expect(right!.length).toBeGreaterThanOrEqual(10);
    expect(wrong!.length).toBeGreaterThanOrEqual(30);
  });

  /** What is read of errors: the package has no more of them. */
  function errorsOf({ errors }: Pick<ValidateFunction, 'errors'>): unknown {
    return errors?.map(({ instancePath, keyword, data, propertyName, params, parentSchema }) => {
      const { additionalProperty, missingProperty, tagValue, i, j } = params;
      const read = { additionalProperty, missingProperty, tagValue, i, j };
      return { instancePath, keyword, data, propertyName, ...read, number: parentSchema?.['$comment'] as unknown };
    });
  }

  function valueOf(file: string): unknown {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    const { root } = file.endsWith('.yaml') ? parseYaml(text) : parseJson(text);
    return root === undefined ? undefined : plainValue(root, new LineIndex(text)).value;
  }
});

describe('a stack', () => {
  it('has a map for every file, and the maps lead to files of src/', () => {
    const scripts = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
    // One was generated, and one is a page.
    const unmapped = ['config/validator.js', 'monitor/monitor.js'];
    const mapped = scripts.filter((file) => !unmapped.includes(file.split(path.sep).join('/')));
    expect(mapped.length).toBeGreaterThanOrEqual(4);
    const sources = mapped.flatMap((file) => {
      const map = JSON.parse(readFileSync(path.join(DIST, `${file}.map`), 'utf8')) as { sources: string[] };
      return map.sources.map((source) => path.relative(ROOT, path.resolve(DIST, path.dirname(file), source)));
    });
    expect(sources).toContain('src/session/session.ts');
    expect(sources.filter((source) => !source.startsWith('src/') || !existsSync(path.join(ROOT, source)))).toEqual([]);
  });

  it('names them when Node.js is told to look (--enable-source-maps)', async () => {
    const program = `
      import { startNode } from 'crossbar-ts';
      await startNode({ cbdir: '/nowhere/at/all' }).catch((error) => console.log(error.stack));
    `;
    const child = spawn(process.execPath, ['--enable-source-maps', '--input-type=module', '-e', program], {
      cwd: ROOT,
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    await once(child, 'close');
    expect(output).toMatch(/at existingDirectory \(.*src\/node\/cbdir\.ts:\d+:\d+\)/);
    expect(output).toMatch(/at startNodeWith \(.*src\/node\/node\.ts:\d+:\d+\)/);
    expect(output).toMatch(/at startNode \(.*src\/node\/start\.ts:\d+:\d+\)/);
  });
});

describe('what a config does not name', () => {
  /** Starts a node and stops it. @returns the scripts that were loaded: packages by name, our own by path. */
  async function loadedBy(options: DaemonOptions): Promise<string[]> {
    const coverage = temporaryDirectory();
    const daemon = await startDaemon({ ...options, env: { NODE_V8_COVERAGE: coverage } });
    await daemon.stop();
    const urls = readdirSync(coverage).flatMap((file) => {
      const { result } = JSON.parse(readFileSync(path.join(coverage, file), 'utf8')) as { result: { url: string }[] };
      return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
    });
    return urls.map((url) => path.relative(ROOT, fileURLToPath(url)));
  }

  /** @returns the files of `src/` that are in files of `dist/`, as their maps say. */
  function sourcesIn(loaded: readonly string[]): string[] {
    const maps = loaded.map((file) => path.join(ROOT, `${file}.map`)).filter((file) => existsSync(file));
    return maps.flatMap((file) => {
      const { sources } = JSON.parse(readFileSync(file, 'utf8')) as { sources: string[] };
      return sources.map((source) => path.relative(ROOT, path.resolve(path.dirname(file), source)));
    });
  }

  const LAZY = {
    mqttPacket: /^node_modules\/mqtt-packet\//,
    yaml: /^node_modules\/yaml\//,
    send: /^node_modules\/send\//,
    lmdb: /^node_modules\/lmdb\//,
    database: /^dist\/cookie\/database-worker/,
    decoding: /^dist\/serializer\/decoding-worker/,
    component: /^dist\/chunks\/component-/,
    services:
      /^dist\/chunks\/(upload|archive|cgi|application|reverse-proxy|websocket-proxy|caller|publisher|webhook|monitor)-/,
    compiler: /^node_modules\/ajv\/dist\/(ajv|core|compile)/,
  };
  /** Files of ours that a start loads. */
  const MAX_LOADED = 24;
  const lazyOf = (loaded: readonly string[]): string[] =>
    Object.entries(LAZY).flatMap(([name, pattern]) => (loaded.some((file) => pattern.test(file)) ? [name] : []));

  /** Of MQTT every start loads what the config may say, and the words behind which the rest stands; that lies in chunks of its own. */
  const WORDS_OF_MQTT = /\/(?:schema|type|transport-type)\.ts$/;
  const ofMqtt = (loaded: readonly string[]): string[] =>
    sourcesIn(loaded).filter((file) => /^src\/(?:webservice\/)?mqtt\//.test(file) && !WORDS_OF_MQTT.test(file));
  const mqtt = { options: { realm: 'realm1' } };

  it('is not loaded', async () => {
    const loaded = await loadedBy({ config: nodeConfig() });
    expect(loaded).toEqual(expect.arrayContaining(['dist/cli/main.js', 'dist/config/validator.js']));
    expect(lazyOf(loaded)).toEqual([]);
    expect(sourcesIn(loaded)).toContain('src/session/session.ts');
    expect(ofMqtt(loaded)).toEqual([]);
    // Node.js opens them at once, and a node may have to start with few files.
    const ours = loaded.filter((file) => file.startsWith('dist'));
    expect(ours.length).toBeLessThanOrEqual(MAX_LOADED);
  });

  it('is loaded when it does', async () => {
    const realm = openRealm('realm1');
    const components = [{ type: 'module', realm: 'realm1', module: './c.js' }];
    const paths = {
      '/': { type: 'static', directory: 'web' },
      push: { type: 'publisher', realm: 'realm1', role: 'anonymous' },
    };
    const web = { type: 'web', endpoint: LOOPBACK, paths };
    const config = { version: 2, workers: [{ type: 'router', realms: [realm], components, transports: [web] }] };
    const cbdir = nodeDirectory(JSON.stringify(config), 'config.yaml');
    mkdirSync(path.join(cbdir, 'web'));
    writeFileSync(path.join(cbdir, 'c.js'), 'module.exports = () => undefined;');
    expect(lazyOf(await loadedBy({ cbdir }))).toEqual(['yaml', 'send', 'component', 'services']);
  });

  it.each<[string, object]>([
    ['transport "mqtt"', { transports: [{ type: 'mqtt', endpoint: LOOPBACK, ...mqtt }] }],
    ['"universal" transport', { transports: [{ type: 'universal', endpoint: LOOPBACK, mqtt, websocket: { x: {} } }] }],
    ['service "mqtt"', { paths: { mqtt: { type: 'mqtt', ...mqtt } } }],
  ])('of MQTT is loaded by a %s', async (_what, parts) => {
    const loaded = await loadedBy({ config: nodeConfig(parts) });
    expect(lazyOf(loaded)).toEqual(['mqttPacket']);
    expect(ofMqtt(loaded)).toEqual(expect.arrayContaining(['src/mqtt/clients.ts', 'src/mqtt/packets/packet-codec.ts']));
  });
});
