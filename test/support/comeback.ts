/** Two hundred clients whose node stops while they wait for answers: what is so after they have come back, as of every restart. */
import { expect } from 'vitest';
import type { Crowd } from './crowds.js';
import type { Daemon } from './daemon.js';
import { allCall, allThere, Insider } from './insider.js';
import type { Report } from './members.js';

/**
 * So long after the stop of their node all are back; where the machine is so busy that a start, which takes a third of a second,
 * takes longer than a whole one, so many times as long.
 */
const BACK_MS = 10_000;
const START_MS = 1000;

/** So many of the calls in flight nobody answers. */
const UNANSWERED = 20;

/** For `controller.options`: calls that nobody answers hold up the end for so many seconds, in which all others are answered. */
export const DRAIN = { calls: 2 };

/** The `authid` of every session on these nodes, in order: as many of one as it has sessions. */
export async function presentAt(insiders: readonly Insider[]): Promise<readonly string[]> {
  return (await Promise.all(insiders.map((insider) => insider.authids()))).flat().sort();
}

export interface Stopped {
  /** The node, the insider on it, and the other nodes'. */
  readonly daemon: Daemon;
  readonly insider: Insider;
  readonly others: readonly Insider[];
  readonly crowds: readonly Crowd[];
  /** Ends the node, and does not wait for that. */
  readonly stop: () => Promise<unknown>;
}

/**
 * Everybody on a node calls; the node stops, and starts again. Most calls are answered after the stop has begun. All come back in time,
 * each once, as who they were.
 *
 * @returns the new node, the new insider on it, and for each crowd how many seconds after the stop it was back.
 */
export async function stopAndStart({
  daemon,
  insider,
  others,
  crowds,
  stop,
}: Stopped): Promise<{ daemon: Daemon; insider: Insider; seconds: ReadonlyMap<Crowd, number> }> {
  const before = await presentAt([insider, ...others]);
  expect(before).toHaveLength(crowds.reduce((sum, { size }) => sum + size, 0));
  await allCall([insider], crowds);
  const stopped = performance.now();
  let startMs = 0;
  const restart = async (): Promise<Daemon> => {
    await stop();
    const begun = performance.now();
    const started = await daemon.restart();
    startMs = performance.now() - begun;
    return started;
  };
  const [again] = await Promise.all([
    restart(),
    daemon.waitForLog('closing connections').then(() => insider.answerAllBut(UNANSWERED)),
  ]);
  const next = await Insider.join(again);
  const times = await allThere([next, ...others], crowds);
  const seconds = new Map([...times].map(([crowd, at]) => [crowd, (at - stopped) / 1000]));
  expect(Math.max(...times.values()) - stopped).toBeLessThan(BACK_MS * Math.max(1, startMs / START_MS));
  expect(await presentAt([next, ...others])).toEqual(before);
  return { daemon: again, insider: next, seconds };
}

/** Of a member: it was called the same in every session, and each call had an answer. @returns how many it was told that nobody answers. */
function checked({ authids, outcomes }: Report): number {
  expect(new Set(authids).size).toBe(1);
  const answered = outcomes.filter((outcome) => outcome === 'result');
  const canceled = outcomes.filter((outcome) => outcome === 'wamp.error.canceled');
  expect(outcomes).toHaveLength(answered.length + canceled.length);
  return canceled.length;
}

/** Has all say what they have seen, and looks at that. @param stops how often a node of theirs stopped while they waited for answers. */
export async function checkReports(
  insiders: readonly Insider[],
  crowds: readonly Crowd[],
  stops: number,
): Promise<void> {
  for (const insider of insiders) for (const { topic } of crowds) await insider.publish(topic, 'end');
  const all = await Promise.all(crowds.map((crowd) => crowd.reports()));
  const reports = all.flat();
  expect(all.map(({ length }) => length)).toEqual(crowds.map(({ size }) => size));
  for (const { events } of reports) expect(events.filter((value) => value === 'end')).toHaveLength(1);
  expect(reports.map(checked).reduce((a, b) => a + b)).toBe(stops * UNANSWERED);
  // One for each tab with a login: cookies are asked for no secret, after the restart neither. Those without cookie are, every time.
  for (const [index, { name }] of crowds.entries()) {
    const challenges = all[index]?.map((report) => report.challenges) ?? [];
    if (name.includes('tabs'))
      expect(challenges.filter((count) => count > 0)).toEqual(name.startsWith('wampy') ? [1, 1] : [1, 1, 1]);
  }
}

/** One line for a reader. */
export function told(crowds: ReadonlyMap<Crowd, number>): string {
  return [...crowds].map(([{ name }, seconds]) => `  ${seconds.toFixed(1)} s  ${name}`).join('\n');
}
