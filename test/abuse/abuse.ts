/** Runs abusers against a node, some at a time, as long as `ABUSE_SECONDS` says; everything is drawn from `ABUSE_SEED`. */
import { expect } from 'vitest';
import { AbusedNode } from './node.js';
import type { Target } from './node-config.js';
import { Random, SEED } from './random.js';

/** For each kind of abuse. */
const SECONDS = Number(process.env['ABUSE_SECONDS'] ?? 4);
/** Before the node is looked at for the first time. */
const WARM_UP_SECONDS = Math.max(1, SECONDS * 0.1);
/** Fewer than a node lets wait without a session from one address. */
const AT_A_TIME = 24;

/** How long a test of {@link abuse} may take: the rest is looking, on a loaded machine. */
export const ABUSE_TIMEOUT_MS = SECONDS * 1000 + 120_000;

/** Lives the life of one connection. @returns what the node did that it must not, one line each. */
export type Abuser = (target: Target, random: Random) => Promise<readonly string[]>;

/**
 * @param name of the abuse; connections draw from the seed, this and their number
 * @param spoken on the transports that it is for
 */
export async function abuse(name: string, abuser: Abuser, spoken: Target['spoken'] = 'wamp'): Promise<void> {
  const repeat = `to repeat: ABUSE_SEED=${SEED} ABUSE_SECONDS=${SECONDS}`;
  process.stdout.write(`abuse by ${name}, ${repeat}\n`);
  const node = await AbusedNode.start();
  const random = new Random(`${SEED}/${name}`);
  const targets = node.targets.filter((target) => target.spoken === spoken);
  let connections = 0;
  const complaints = new Set<string>();
  const run = async (seconds: number): Promise<void> => {
    const end = performance.now() + seconds * 1000;
    const keepComing = async (): Promise<void> => {
      while (performance.now() < end && complaints.size === 0) {
        const draws = random.fork(connections++);
        const target = draws.pick(targets);
        for (const complaint of await abuser(target, draws)) complaints.add(`${target.name}: ${complaint}`);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, keepComing));
  };
  try {
    await run(WARM_UP_SECONDS);
    await node.remember();
    await run(SECONDS);
    for (const complaint of await node.complaints()) complaints.add(complaint);
    const sessions = node.daemon.logs.filter(({ msg }) => msg === 'session joined').length;
    process.stdout.write(`  ${connections} connections, ${sessions} sessions\n`);
  } finally {
    const { code, faults, stderr } = await node.stop();
    expect.soft({ code, faults, stderr }, repeat).toEqual({ code: 0, faults: [], stderr: '' });
  }
  expect([...complaints], repeat).toEqual([]);
}
