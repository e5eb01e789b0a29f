import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';

import { createLogger } from '../../../src/log/logger.js';
import { handleSignals } from '../../../src/node/signals.js';

/** A process that notes its exit codes instead of ending. */
class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  readonly #waiting: (() => void)[] = [];

  exit(code: number): void {
    this.exits.push(code);
    for (const resolve of this.#waiting) resolve();
  }

  async exited(): Promise<void> {
    if (this.exits.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

const ours = (): string | undefined => undefined;

function installed({ terminal = false, stop = () => Promise.resolve(), foreignFrame = ours } = {}) {
  const source = new FakeProcess();
  const records: Record<string, unknown>[] = [];
  const log = createLogger({
    level: 'trace',
    destination: { write: (line) => void records.push(JSON.parse(line) as Record<string, unknown>) },
  });
  let stops = 0;
  let reloads = 0;
  const reload = (): Promise<void> => Promise.resolve(void (reloads += 1));
  handleSignals({ source, log, terminal, stop: () => ((stops += 1), stop()), foreignFrame, reload });
  return { source, records, stops: () => stops, reloads: () => reloads };
}

describe('signals', () => {
  it.each(['SIGINT', 'SIGTERM'])('%s stops the node and exits 0', async (signal) => {
    const { source, stops } = installed();
    source.emit(signal, signal);
    await source.exited();
    expect(source.exits).toEqual([0]);
    expect(stops()).toBe(1);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('a second signal %s exits at once with %i, without a second stop', (second, code) => {
    const { source, stops } = installed({ stop: () => new Promise(() => undefined) });
    source.emit('SIGTERM', 'SIGTERM');
    expect(source.exits).toEqual([]);
    source.emit(second, second);
    expect(source.exits).toEqual([code]);
    expect(stops()).toBe(1);
  });

  it('a stop that fails is an error and exits 1', async () => {
    const { source, records } = installed({ stop: () => Promise.reject(new Error('disk full')) });
    source.emit('SIGTERM', 'SIGTERM');
    await source.exited();
    expect(source.exits).toEqual([1]);
    expect(records.at(-1)).toMatchObject({ level: 'error', msg: 'stop failed', err: { message: 'disk full' } });
  });

  it('SIGHUP has the config read again in the background, and is a stop at a terminal', async () => {
    const background = installed();
    background.source.emit('SIGHUP', 'SIGHUP');
    expect(background.stops()).toBe(0);
    expect(background.reloads()).toBe(1);
    expect(background.records).toMatchObject([{ level: 'info', signal: 'SIGHUP' }]);

    const terminal = installed({ terminal: true });
    terminal.source.emit('SIGHUP', 'SIGHUP');
    await terminal.source.exited();
    expect(terminal.source.exits).toEqual([0]);
  });

  it('an uncaught error is fatal and exits 1 at once', () => {
    const { source, records } = installed();
    source.emit('uncaughtException', new Error('bug'), 'unhandledRejection');
    expect(source.exits).toEqual([1]);
    expect(records).toMatchObject([{ level: 'fatal', origin: 'unhandledRejection', err: { message: 'bug' } }]);
  });

  it.each(['SIGUSR1', 'SIGUSR2'])('%s is a warning and nothing else', (signal) => {
    const { source, records, stops } = installed();
    source.emit(signal, signal);
    expect([source.exits, stops()]).toEqual([[], 0]);
    expect(records).toMatchObject([{ level: 'warn', signal }]);
  });

  it('an error of a component that nobody caught is logged, with its place, and the node goes on', () => {
    const { source, records } = installed({ foreignFrame: () => '/app/hello.mjs:1:2' });
    for (let i = 0; i < 3; i++) source.emit('uncaughtException', new Error('oops'), 'unhandledRejection');
    expect(source.exits).toEqual([]);
    expect(records).toMatchObject([
      { level: 'error', at: '/app/hello.mjs:1:2', origin: 'unhandledRejection', err: { message: 'oops' } },
    ]);
  });
});
