/**
 * One measured stretch of time: warm up, read the account, wait, read it again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { usage } from '../proc.js';

/**
 * @typedef {object} Stretch
 * @property {number} units how many calls, deliveries or connections the server did
 * @property {number} seconds
 * @property {number} perSecond
 * @property {number} cpuMicrosPerUnit of the server: schedstat where the kernel has it, else utime + stime
 * @property {'schedstat' | 'stat'} cpuClock which of the two it is
 * @property {number} tickMicrosPerUnit utime + stime, for comparison
 * @property {number} cpuShare processors that the server kept busy
 * @property {number} generatorCpuShare the same of this process; near 1 the generator is the limit
 * @property {number} rssBytes of the server, at the end
 *
 * @typedef {object} MeasureOptions
 * @property {readonly number[]} pids of the server
 * @property {number} warmupSeconds
 * @property {number} seconds
 * @property {() => void} [onWarm] called when the measured stretch begins, whatever is measured
 * @property {() => void} [onMeasured] called when it has ended
 * @property {() => Promise<unknown>} [onPause] lets the server collect its garbage, where nothing is timed
 */

/**
 * @param {MeasureOptions} options
 * @param {() => number} countUnits
 * @param {() => void} [onWarm] called when the warm-up is over
 * @returns {Promise<Stretch>}
 */
export async function measure({ pids, warmupSeconds, seconds, ...hooks }, countUnits, onWarm) {
  await sleep(warmupSeconds * 1000);
  onWarm?.();
  hooks.onWarm?.();
  const before = { ...usage(pids), units: countUnits(), own: process.cpuUsage(), at: process.hrtime.bigint() };
  await sleep(seconds * 1000);
  const after = { ...usage(pids), units: countUnits(), own: process.cpuUsage(before.own), at: process.hrtime.bigint() };
  hooks.onMeasured?.();

  if (after.processes === 0) throw new Error(`the server (pid ${pids.join(', ')}) has gone`);
  const units = after.units - before.units;
  const micros = Number(after.at - before.at) / 1000;
  const tickMicros = after.tickMicros - before.tickMicros;
  const schedMicros =
    after.schedMicros === undefined || before.schedMicros === undefined
      ? undefined
      : after.schedMicros - before.schedMicros;
  const cpuMicros = schedMicros ?? tickMicros;
  return {
    units,
    seconds: micros / 1e6,
    perSecond: (units * 1e6) / micros,
    cpuMicrosPerUnit: cpuMicros / units,
    cpuClock: schedMicros === undefined ? 'stat' : 'schedstat',
    tickMicrosPerUnit: tickMicros / units,
    cpuShare: cpuMicros / micros,
    generatorCpuShare: (after.own.user + after.own.system) / micros,
    rssBytes: after.rssBytes,
  };
}
