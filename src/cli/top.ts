/**
 * `crossbar-ts top`: the sessions of a running node, drawn anew each second. The node is asked through its control socket, and only
 * while somebody looks. Where nobody sits at a terminal one table is printed, as text without escapes.
 *
 *     q, Escape, Ctrl-C  ends it
 *     s                  puts the sessions in another order; S goes back
 */
import { once } from 'node:events';

import { withMonitor } from '../node/commands.js';
import type { RemoteMonitor } from '../node/monitor/requests.js';
import { placeOf } from './place.js';
import type { PlaceOptions } from './place.js';
import { print } from './table.js';
import { topLines } from './top-view.js';
import type { Glance } from './top-view.js';

/** What the sessions may be put in order by. */
export const TOP_SORTS: readonly string[] = [
  ...['messages_rate', 'received_rate', 'sent_rate', 'messages', 'received', 'sent', 'unsent_bytes'],
  ...['subscriptions', 'registrations', 'joined', 'authid', 'authrole'],
];

export interface TopOptions extends PlaceOptions {
  readonly sort: string;
  readonly interval: number;
  readonly realm?: string;
  readonly once?: boolean;
  readonly json?: boolean;
}

/** Keys by which it ends. */
const QUIT: readonly string[] = ['q', 'Q', '\u001b', '\u0003', '\u0004'];

/** The other screen, and no cursor on it; and back. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const END_OF_LINE = '\u001b[K';
const END_OF_SCREEN = '\u001b[J';

/** Exit code 1 when no node runs, and when it goes away. @throws NodeError */
export async function top(options: TopOptions): Promise<void> {
  const isWatched = process.stdout.isTTY && process.stdin.isTTY && options.once !== true && options.json !== true;
  await withMonitor(placeOf(options), async (monitor) => {
    if (options.json === true) await printJson(monitor, options);
    else if (isWatched) await new Screen(monitor, options).run();
    else await printOnce(monitor, options);
  });
}

async function glance(monitor: RemoteMonitor, sort: string, realm: string | undefined): Promise<Glance> {
  const summary = await monitor.summary();
  return { summary, sort, page: await monitor.sessions({ sort, ...(realm !== undefined && { realm }) }) };
}

/** Rates need two looks. */
async function printOnce(monitor: RemoteMonitor, { sort, realm, interval }: TopOptions): Promise<void> {
  const before = await glance(monitor, sort, realm);
  await pause(Math.max(1, interval) * 1000);
  const lines = topLines(await glance(monitor, sort, realm), before);
  await print(lines.map((line) => `${line}\n`).join(''));
}

async function printJson(monitor: RemoteMonitor, options: TopOptions): Promise<void> {
  const { sort, realm, interval } = options;
  for (;;) {
    const { summary, page } = await glance(monitor, sort, realm);
    await print(`${JSON.stringify({ ...summary, sessions: page })}\n`);
    if (options.once === true) return;
    await pause(Math.max(1, interval) * 1000);
  }
}

/** A terminal with somebody in front of it. */
class Screen {
  readonly #monitor: RemoteMonitor;
  readonly #options: TopOptions;
  readonly #over = new AbortController();
  #sort: string;
  #last: Glance | undefined;
  #before: Glance | undefined;
  /** Ends the pause before the next look. */
  #hurry: (() => void) | undefined;

  constructor(monitor: RemoteMonitor, options: TopOptions) {
    this.#monitor = monitor;
    this.#options = options;
    this.#sort = options.sort;
  }

  async run(): Promise<void> {
    const { stdin, stdout } = process;
    const onKeys = (keys: Buffer): void => this.#type(keys.toString());
    const onResize = (): void => this.#draw();
    const onEnd = (): void => this.#end();
    stdin.setRawMode(true).on('data', onKeys).once('end', onEnd).resume();
    stdout.on('resize', onResize);
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.once(signal, onEnd);
    stdout.write(ENTER);
    try {
      await this.#watch();
    } finally {
      stdout.off('resize', onResize).write(LEAVE);
      stdin.setRawMode(false).off('data', onKeys).off('end', onEnd).pause();
      for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.off(signal, onEnd);
    }
  }

  async #watch(): Promise<void> {
    const { signal } = this.#over;
    const { realm, interval } = this.#options;
    const ended = once(signal, 'abort');
    while (!signal.aborted) {
      const seen = await Promise.race([glance(this.#monitor, this.#sort, realm), ended]);
      if (Array.isArray(seen)) return;
      // In another order there are other sessions: their rates come with the next look.
      this.#before = this.#last;
      this.#last = seen;
      this.#draw();
      await Promise.race([ended, pause(Math.max(1, interval) * 1000, (end) => (this.#hurry = end))]);
    }
  }

  /** Several keys may come at once; arrows and such come as Escape with more behind it. */
  #type(keys: string): void {
    if (keys.length > 1 && keys.startsWith('\u001b')) return;
    for (const key of keys) this.#press(key);
  }

  #press(key: string): void {
    if (QUIT.includes(key)) return this.#end();
    const step = key === 's' ? 1 : key === 'S' ? -1 : 0;
    if (step === 0) return;
    const index = TOP_SORTS.indexOf(this.#sort) + step;
    this.#sort = TOP_SORTS.at(index % TOP_SORTS.length) ?? this.#sort;
    this.#hurry?.();
  }

  #end(): void {
    this.#over.abort();
    this.#hurry?.();
  }

  #draw(): void {
    if (this.#last === undefined) return;
    // Some terminals do not know how large they are.
    const [columns, rows] = [process.stdout.columns || 80, process.stdout.rows || 24];
    const lines = topLines(this.#last, this.#before, 'q: end   s: other order').slice(0, Math.max(1, rows - 1));
    const text = lines.map((line) => `${line.slice(0, columns)}${END_OF_LINE}\r\n`).join('');
    process.stdout.write(`${HOME}${text}${END_OF_SCREEN}`);
  }
}

/** @param early is given what ends the pause. */
async function pause(ms: number, early?: (end: () => void) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    early?.(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
