/**
 * A look into a Node.js process that we start: preloaded with `node --import bench/probe.js PROGRAM`, it answers
 * questions over the IPC channel of `child_process.spawn` (`stdio: [..., 'ipc']`). The other end is probed.js.
 *
 * It changes nothing that the program does: the channel does not keep the process alive, and until somebody asks, nothing
 * runs and nothing more than this file is loaded. Questions are `{ probe: number, ask: string, ... }`, answers
 * `{ probe, answer }` or `{ probe, error }`:
 *
 * - `loop-delay`: how late timers were since the last such question, which must be the second or a later one
 * - `longest-turn`: how long the loop was busy without a break since the last such question, in milliseconds of processor time
 * - `memory`: what is in use after the garbage has gone
 * - `objects`: live objects by the name of their class
 * - `census`: the same of all classes
 * - `snapshot`: a heap snapshot, written to a file
 * - `resources`: what keeps the event loop alive, by kind
 * - `profile-start`, `profile-stop`: a CPU profile of the stretch between, written to a file
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { writeHeapSnapshot } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { countClasses, countObjects } from './heap-census.js';
import { TurnWatch } from './turn-watch.js';

const DEFAULT_RESOLUTION_MS = 5;
const SAMPLING_MICROS = 500;
/** One collection finds what finalizers and closed handles of the one before have let go. */
const COLLECTIONS = 3;

/**
 * @typedef {{ p50: number, p99: number, max: number, samples: number }} LoopDelay milliseconds that a timer was late
 * @typedef {{ heapUsed: number, external: number, arrayBuffers: number, rss: number }} Memory in bytes; `external`
 *   includes `arrayBuffers`
 * @typedef {{ ask: string, resolution?: number, stop?: boolean, classes?: string[], file?: string }} Question
 */

/** @type {Record<string, (question: Question) => unknown>} */
const ANSWERS = {
  'loop-delay': loopDelay,
  'longest-turn': longestTurn,
  memory,
  objects: ({ classes = [] }) => countObjects(classes),
  census: async () => Object.fromEntries(await countClasses()),
  resources,
  snapshot: takeSnapshot,
  'profile-start': startProfile,
  'profile-stop': stopProfile,
};

/** @type {{ histogram: import('node:perf_hooks').IntervalHistogram, resolution: number } | undefined} */
let monitor;
/** @type {TurnWatch | undefined} */
let turns;
/** @type {Inspector | undefined} */
let profiler;

// A worker thread of the program preloads this file, too, and has no channel.
if (isMainThread && process.channel) {
  process.on('message', (question) => void onMessage(question));
  process.channel.unref();
}

/** @param {unknown} message of ours, or one that the program is to get */
async function onMessage(message) {
  const { probe, ...question } = /** @type {{ probe?: number } & Question} */ (message ?? {});
  if (probe === undefined) return;
  try {
    const answer = ANSWERS[question.ask];
    if (answer === undefined) throw new Error(`the probe is asked for ${Object.keys(ANSWERS).join(', ')}`);
    reply({ probe, answer: (await answer(question)) ?? null });
  } catch (error) {
    reply({ probe, error: error instanceof Error ? error.message : String(error) });
  }
}

/** @param {object} message */
function reply(message) {
  // Whoever asked may have gone: no reason for the program to fail.
  if (process.connected) process.send?.(message, () => undefined);
}

/**
 * The first question starts the monitor. It records how long the loop took from one timer of `resolution` ms to the
 * next; what is above the resolution is how late such a timer was.
 *
 * @param {Question} question
 * @returns {LoopDelay}
 */
function loopDelay({ resolution = DEFAULT_RESOLUTION_MS, stop = false }) {
  if (monitor === undefined) {
    monitor = { histogram: monitorEventLoopDelay({ resolution }), resolution };
    monitor.histogram.enable();
  }
  const { histogram, resolution: own } = monitor;
  const late = (/** @type {number} */ nanos) => (histogram.count === 0 ? 0 : Math.max(0, nanos / 1e6 - own));
  const answer = {
    p50: late(histogram.percentile(50)),
    p99: late(histogram.percentile(99)),
    max: late(histogram.max),
    samples: histogram.count,
  };
  histogram.reset();
  if (stop) {
    histogram.disable();
    monitor = undefined;
  }
  return answer;
}

/**
 * The first question starts the watch.
 *
 * @param {Question} question
 * @returns {number}
 */
function longestTurn({ resolution, stop = false }) {
  turns ??= new TurnWatch(resolution);
  const longest = turns.take();
  if (stop) {
    turns.stop();
    turns = undefined;
  }
  return longest;
}

/** @returns {Promise<Memory>} */
async function memory() {
  const inspector = await inspect();
  for (let done = 0; done < COLLECTIONS; done++) {
    await inspector.post('HeapProfiler.collectGarbage');
    await nextTurn();
  }
  inspector.close();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  return { heapUsed, external, arrayBuffers, rss };
}

/**
 * The last of several: each one collects the garbage first. Without the inspector, of which each session leaves something.
 *
 * @param {Question} question
 */
async function takeSnapshot({ file }) {
  for (let done = 0; done < COLLECTIONS; done++) {
    writeHeapSnapshot(file);
    await nextTurn();
  }
}

/** @returns {Record<string, number>} */
function resources() {
  const counts = /** @type {Record<string, number>} */ ({});
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

async function startProfile() {
  if (profiler !== undefined) throw new Error('a profile is being taken');
  profiler = await inspect();
  await profiler.post('Profiler.enable');
  await profiler.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROS });
  await profiler.post('Profiler.start');
}

/** @param {Question} question */
async function stopProfile({ file }) {
  if (profiler === undefined || file === undefined) throw new Error('profile-stop needs a profile-start and a file');
  const { profile } = await profiler.post('Profiler.stop');
  profiler.close();
  profiler = undefined;
  writeFileSync(file, JSON.stringify(profile));
}

/**
 * Loaded when it is needed, and closed again: the inspector is not part of a node that is only measured.
 *
 * @returns {Promise<Inspector>}
 * @typedef {{ post: (method: string, params?: object) => Promise<any>, close: () => void }} Inspector
 */
async function inspect() {
  const { Session } = await import('node:inspector');
  const session = new Session();
  session.connect();
  /** @type {(method: string, params: object) => Promise<any>} */
  const post = promisify(/** @type {any} */ (session.post)).bind(session);
  return { post: (method, params = {}) => post(method, params), close: () => session.disconnect() };
}
