/**
 * The places of a config that the rules between keys and the last step have to visit. One walk along the schema (`walk.ts`)
 * finds them all.
 */
import { resolve } from 'node:path';

import type { Front, Neighbours } from '../schema/rules.js';
import { Cursor } from './cursor.js';
import { portsIn } from './environment.js';
import { nodeSchemaTree } from './schema.js';
import { markedPlaces, variantOf } from './walk.js';
import type { MarkedPlace, SchemaTree } from './walk.js';

export function workersOf(node: Cursor): Cursor[] {
  return node.get('workers').items();
}

/** Every transport of a node. */
export function transportsOf(node: Cursor): Cursor[] {
  return workersOf(node).flatMap(transportsIn);
}

/** The transports of a worker: those of a list, or the only one. */
function transportsIn(worker: Cursor): Cursor[] {
  return [...worker.get('transports').items(), worker.get('transport')].filter(({ missing }) => !missing);
}

/** The key of the section by which browsers are recognised. */
const COOKIE = 'cookie';

const NOTHING = new Cursor(undefined);

/** A place where WAMP clients connect. */
export interface Entrance {
  /** The name of what they connect to, as messages call it. */
  readonly by: string;
  /** Whether browsers can connect here. */
  readonly browsers: boolean;
  /** False where they publish and subscribe only. */
  readonly calls?: false;
  readonly place: Cursor;
  /** Where its `allowed_origins` are. */
  readonly options: Cursor;
  /** The `cookie` section in force: its own, or the nearest one above; on undefined when there is none. */
  readonly cookie: Cursor;
  /** The transport that it is, or is on. */
  readonly transport: Cursor;
  /** The authentication methods that ask for no secret. */
  readonly open: readonly MarkedPlace[];
}

/** A `cookie` section. */
export interface CookieSection {
  readonly cookie: Cursor;
  /** The file or database of its store: sections with the same place share their records. Undefined: they share none. */
  readonly place: Cursor | undefined;
  /** Whether that is a path; else a name, which means the same wherever the node directory is. */
  readonly isFile: boolean;
  /** The keys of the store on which sections that share it must agree. */
  readonly agreed: readonly string[];
  /** Those of them whose values are secret. */
  readonly secrets: readonly string[];
}

export interface WorkerPlaces {
  readonly worker: Cursor;
  /** Those of its own, or of the worker that it leads to. */
  readonly realms: readonly Cursor[];
  /** Of a worker in front of another one. */
  readonly front: Front | undefined;
  readonly components: readonly Cursor[];
  readonly transports: readonly Cursor[];
  /** All its values that the schema marks. */
  readonly marked: readonly MarkedPlace[];
  readonly entrances: readonly Entrance[];
  readonly cookies: readonly CookieSection[];
}

export interface NodePlaces {
  readonly node: Cursor;
  readonly workers: readonly WorkerPlaces[];
  /** The values outside of workers that the schema marks. */
  readonly marked: readonly MarkedPlace[];
}

/**
 * @param tree - the schema of the whole config
 * @param around - finds out where the endpoints of the config are
 */
export function placesOf(
  node: Cursor,
  tree: SchemaTree = nodeSchemaTree,
  around: Omit<Neighbours, 'workers'> = { cbdir: '/', portOf: portsIn({}) },
): NodePlaces {
  const marked = grouped(markedPlaces(node, tree), ({ place }) => place.path.slice(0, 2).join('/'));
  const workers = workersOf(node);
  const inside = (worker: Cursor): WorkerPlaces => {
    const marks = marked.get(worker.path.join('/')) ?? [];
    const { schema } = marks.find(({ schema: { front } }) => front !== undefined) ?? {};
    return inWorker(worker, marks, { workers, front: schema?.front?.(worker, { ...around, workers }) });
  };
  const ofWorkers = new Set(workers.map(({ path }) => path.join('/')));
  const outside = [...marked].flatMap(([place, marks]) => (ofWorkers.has(place) ? [] : marks));
  return { node, workers: workers.map(inside), marked: outside };
}

function inWorker(
  worker: Cursor,
  marked: readonly MarkedPlace[],
  { workers, front }: { readonly workers: readonly Cursor[]; readonly front: Front | undefined },
): WorkerPlaces {
  const from = front === undefined ? [worker] : front.targets.flatMap(({ path }) => workers[Number(path[1])] ?? []);
  const parts = { components: worker.get('components').items(), transports: transportsIn(worker) };
  const places = { worker, realms: from.flatMap((one) => one.get('realms').items()), front, ...parts, marked };
  const open = grouped(
    marked.filter(({ schema }) => schema.letsIn !== undefined),
    ({ entrance }) => entrance,
  );
  return {
    ...places,
    entrances: marked.flatMap((mark) => entrancesAt(mark, places, open)),
    cookies: cookiesIn(marked),
  };
}

/** @returns the workers as clients find them: what stands in front of a worker belongs to that one, and the worker in front has nothing. */
export function behindFronts({ workers }: NodePlaces): WorkerPlaces[] {
  return workers.map((places) => {
    if (places.front !== undefined) return { ...places, realms: [], marked: [], entrances: [] };
    const fronts = workers.filter(({ front }) => front?.targets.some(({ path }) => path[1] === places.worker.path[1]));
    if (fronts.length === 0) return places;
    const [marked, entrances] = [fronts.flatMap((front) => front.marked), fronts.flatMap((front) => front.entrances)];
    return { ...places, marked: [...places.marked, ...marked], entrances: [...places.entrances, ...entrances] };
  });
}

/** @returns the transports of a node for which no other one listens. */
export function listeningTransports({ workers }: NodePlaces): Cursor[] {
  return workers.flatMap(listeningOf);
}

/** @returns the transports of a worker for which no other one listens. */
export function listeningOf({ transports, front }: WorkerPlaces): Cursor[] {
  return transports.filter((_, index) => front?.silent.has(index) !== true);
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function entrancesAt(
  { place, schema, inForce, entrance }: MarkedPlace,
  { transports }: Pick<WorkerPlaces, 'transports'>,
  open: ReadonlyMap<Cursor | undefined, readonly MarkedPlace[]>,
): Entrance[] {
  const transport = transports[Number(place.path[3])];
  if (schema.clients === undefined || transport === undefined) return [];
  const cookie = inForce.get(COOKIE) ?? NOTHING;
  const options = schema.clients.areOptions === true ? place : place.get('options');
  return [{ ...schema.clients, place, options, cookie, transport, open: open.get(entrance) ?? [] }];
}

function cookiesIn(marked: readonly MarkedPlace[]): CookieSection[] {
  return marked
    .filter(({ schema }) => schema.inherited === true)
    .map(({ place: cookie, schema }) => {
      const store = cookie.get('store');
      const keys = Object.entries(variantOf(schema.properties?.['store'] ?? schema, store)?.properties ?? {});
      const [where, identity] = keys.find(([, { identity: is }]) => is === true) ?? [];
      const place = where === undefined || store.get(where).missing ? undefined : store.get(where);
      const agreed = keys.map(([key]) => key).filter((key) => key !== 'type' && key !== where);
      const secrets = keys.filter(([, { is }]) => is === 'secret').map(([key]) => key);
      return { cookie, place, isFile: identity?.is === 'file', agreed, secrets };
    });
}

/** @returns what two `cookie` sections have in common that share a store; undefined for one that shares with none. */
export function storePlaceOf({ cookie, place, isFile }: CookieSection, cbdir: string): string | undefined {
  const name = place?.text();
  if (name === undefined) return undefined;
  return isFile ? resolve(cbdir, name) : `${cookie.at('store', 'type').text() ?? ''} ${name}`;
}

/** Every `cookie` section of a node. */
export function cookiesOf({ workers }: NodePlaces): CookieSection[] {
  return workers.flatMap(({ cookies }) => cookies);
}

/** Every place of a node where WAMP clients connect. */
export function entrancesOf({ workers }: NodePlaces): Entrance[] {
  return workers.flatMap(({ entrances }) => entrances);
}

/** Whether cookies say there who a browser is: those of the node, or those of a web application. */
export function knowsBrowsers({ browsers, cookie, open }: Entrance): boolean {
  return browsers && (!cookie.missing || open.some(({ schema }) => schema.letsIn === 'web logins'));
}

/** Every place of a node that the schema marks. */
export function marksOf({ workers }: NodePlaces): MarkedPlace[] {
  return workers.flatMap(({ marked }) => marked);
}

/** The paths, as they are written, of the files that belong to the node: no service serves them. */
export function privateFilesOf(places: NodePlaces): Set<string> {
  const files = [...places.marked, ...marksOf(places)].map(({ place, schema }) => {
    if (schema.is === 'secret') return place.get('file').text() ?? '';
    return schema.private === true ? (place.text() ?? '') : '';
  });
  return new Set(files.filter((file) => file !== ''));
}
