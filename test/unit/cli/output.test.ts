import { Writable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { Output } from '../../../src/cli/output.js';

/** A pipe whose reader reads when the test says so. */
class SlowPipe extends Writable {
  read: string[] = [];
  #pending: (() => void) | undefined;
  open = false;

  constructor() {
    super({ highWaterMark: 1, decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.read.push(chunk);
    if (this.open) done();
    else this.#pending = done;
  }

  readAll(): void {
    this.open = true;
    this.#pending?.();
  }
}

describe('standard output of the CLI', () => {
  afterEach(() => void vi.useRealTimers());

  it('lets lines wait for others, for a moment', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const pipe = new SlowPipe();
    pipe.open = true;
    const output = new Output(pipe);
    output.write('line 1\n');
    vi.advanceTimersByTime(19);
    output.write('line 2\n');
    expect(pipe.read).toEqual([]);
    vi.advanceTimersByTime(1);
    output.write('line 3\n');
    vi.advanceTimersByTime(20);
    expect(pipe.read).toEqual(['line 1\nline 2\n', 'line 3\n']);
  });

  it('writes what is urgent at the end of the turn, behind what waits', async () => {
    const pipe = new SlowPipe();
    pipe.open = true;
    const output = new Output(pipe);
    output.write('line 1\n');
    output.write('urgent\n', true);
    output.write('line 3\n');
    expect(pipe.read).toEqual([]);
    await new Promise(setImmediate);
    expect(pipe.read).toEqual(['line 1\nurgent\nline 3\n']);
  });

  it('writes what it holds when the process ends in the middle of a turn, or when it is much', () => {
    const pipe = new SlowPipe();
    pipe.open = true;
    const output = new Output(pipe);
    output.write('last words\n');
    output.writeOut();
    expect(pipe.read).toEqual(['last words\n']);
    output.write('x'.repeat(100_000));
    expect(pipe.read[1]?.length).toBe(100_000);
  });

  it('drops lines beyond the bound and reports how many once somebody reads again', async () => {
    const pipe = new SlowPipe();
    const output = new Output(pipe, 10);
    const reported = new Promise<number>((resolve) => output.onCaughtUp(resolve));
    for (let i = 0; i < 10; i += 1) {
      output.write(`line ${i}\n`);
      output.writeOut();
    }
    expect(pipe.writableLength).toBeLessThan(20);
    pipe.readAll();
    expect(await reported).toBe(8);
    expect(pipe.read).toEqual(['line 0\n', 'line 1\n']);
  });

  it('survives a reader that goes away', async () => {
    const pipe = new SlowPipe();
    const output = new Output(pipe);
    const closed = new Promise((resolve) => pipe.once('close', resolve));
    pipe.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await closed;
    output.write('nobody reads this\n');
    await output.flush();
    expect(pipe.read).toEqual([]);
  });

  it('flush waits for the reader', async () => {
    const pipe = new SlowPipe();
    const output = new Output(pipe);
    output.write('first\n');
    output.write('last\n');
    const flushed = output.flush();
    pipe.readAll();
    await flushed;
    expect(pipe.read.join('')).toBe('first\nlast\n');
  });

  it('flush gives a reader up that does not read', async () => {
    const output = new Output(new SlowPipe());
    output.write('stuck\n');
    await expect(output.flush(1)).resolves.toBeUndefined();
  });
});
