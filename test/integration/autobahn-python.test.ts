/**
 * autobahn-python as Debian ships it (python3-autobahn, python3-twisted, python3-cbor2), against the daemon: WebSocket on asyncio and
 * RawSocket on Twisted, in every serializer. The script is `test/clients/autobahn_python.py`.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT } from '../support/built.js';
import { featureNode, scriptProblems } from '../support/client-features.js';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import type { Place } from '../support/place.js';
import { isSpreadOverThree, startPlace } from '../support/place.js';

/** The interpreter of the Debian packages; another one in PATH would not find them. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = path.resolve(import.meta.dirname, '../clients/autobahn_python.py');
/** The package python3-ubjson is not among those that the tests need: `test/unit/serializer/ubjson.test.ts` has what it writes. */
const hasUbjson = spawnSync(PYTHON, ['-c', 'import ubjson']).status === 0;
const hasAutobahn = spawnSync(PYTHON, ['-c', 'import autobahn, twisted, cbor2']).status === 0;

/** The features of the script: its functions without parameters, less the one that runs them. */
const features = [...readFileSync(SCRIPT, 'utf8').matchAll(/^async def (\w+)\(\):$/gm)]
  .map(([, name = '']) => name)
  .filter((name) => name !== 'run');
interface Row {
  readonly framework: 'asyncio' | 'twisted';
  readonly transport: 'WebSocket' | 'RawSocket';
  readonly serializer: string;
}
const serializers = [...BUILT.serializers, ...(hasUbjson ? ['ubjson'] : [])];
const all: readonly Row[] = serializers.flatMap((serializer): readonly Row[] => [
  { framework: 'asyncio', transport: 'WebSocket', serializer },
  { framework: 'twisted', transport: 'RawSocket', serializer },
]);
/** What is between the nodes knows no transport: there the two frameworks are enough, with a serializer each. */
const rows = isSpreadOverThree() ? all.filter((_row, index) => index % 3 === 0).slice(0, 2) : all;

let place: Place;
beforeAll(async () => {
  place = await startPlace(featureNode());
});
afterAll(() => place.dispose());

/** Where sessions join, and where guests do: each a list of all nodes. */
function urlsOf(transport: Row['transport']): readonly string[] {
  const at = (url: (node: Daemon) => string): string => place.nodes.map(url).join(',');
  if (transport === 'WebSocket') return ['/ws', '/guest'].map((urlPath) => at((node) => node.url(urlPath, 'ws')));
  return [1, 2].map((index) => at((node) => `rs://127.0.0.1:${node.listening()[index]?.['port'] as number}`));
}

interface Ran {
  /** By feature what went wrong, or null. */
  readonly results: ReadonlyMap<string, string | null>;
  /** What the script and the nodes complained of. */
  readonly complaints: string;
}

/** The config of the tests is warned about, and that is another matter. */
function isComplaint({ level, msg }: LogRecord): boolean {
  return (level === 'warn' || level === 'error') && msg !== 'config warning';
}

/** Runs the script. */
async function run({ framework, transport, serializer }: Row): Promise<Ran> {
  const args = [SCRIPT, framework, ...urlsOf(transport), serializer, ...features];
  const { stdout, stderr } = await promisify(execFile)(PYTHON, args, { timeout: 120_000 });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"feature"'));
  const results = lines.map((line) => JSON.parse(line) as { feature: string; problem: string | null });
  const warnings = place.nodes.flatMap(({ logs }) => logs.filter(isComplaint));
  return {
    results: new Map(results.map(({ feature, problem }) => [feature, problem])),
    complaints: [stderr, ...warnings.map((record) => JSON.stringify(record))].join('\n'),
  };
}

describeNeeds('python3-autobahn, python3-twisted and python3-cbor2', hasAutobahn).each(rows)(
  'autobahn-python on $framework over $transport, $serializer',
  (row) => {
    let ran: Ran;
    beforeAll(async () => {
      ran = await run(row);
    }, 150_000);

    it.each(features)('%s', (feature) => {
      expect(ran.results.get(feature), ran.complaints).toBeNull();
    });
  },
);

describe('the script', () => {
  it('leaves nothing out', () => expect(scriptProblems('autobahn-python', features)).toEqual([]));
});
