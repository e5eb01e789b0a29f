import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LargeFrame } from '../../../../src/serializer/large-frame.js';
import { Outbox, unsentLimits } from '../../../../src/transport/outbox/outbox.js';
import { PIECE_OVERHEAD_BYTES, unsentMemory } from '../../../../src/transport/outbox/unsent-memory.js';

const open: Socket[] = [];
afterEach(() => open.splice(0).forEach((socket) => socket.destroy()));

async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  open.push(client, accepted);
  return [accepted, client];
}

function textOf(socket: Socket): { text: string } {
  const received = { text: '' };
  socket.setEncoding('latin1').on('data', (text: string) => (received.text += text));
  return received;
}

/** Who owns the outbox, and what it was told. */
class Owner {
  gaveUp = 0;
  readonly said: string[] = [];

  giveUp(): void {
    this.gaveUp += 1;
  }

  warn(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.said.push(`${message} ${JSON.stringify(facts)}`);
  }
}

function outboxOn(socket: Socket, maxUnsentBytes: number, dropsEvents = false): { outbox: Outbox; owner: Owner } {
  const owner = new Owner();
  return { outbox: new Outbox(socket, unsentLimits(maxUnsentBytes, dropsEvents), owner), owner };
}

describe('Outbox', () => {
  it('hands all writes of one turn to the system in one call, in order', async () => {
    const [ours, theirs] = await socketPair();
    const write = vi.spyOn(ours, 'write');
    const { outbox } = outboxOn(ours, 1000);
    for (const text of ['a', 'b', 'c']) outbox.write(Buffer.from(text));
    const [data] = (await once(theirs, 'data')) as [Buffer];
    expect(data.toString()).toBe('abc');
    expect(write).toHaveBeenCalledTimes(1);
  });

  it('holds no more memory than its bytes for a peer that does not read, and shares it for one that does', async () => {
    const [ours] = await socketPair();
    const write = vi.spyOn(ours, 'write');
    const { outbox } = outboxOn(ours, 50_000_000);
    const memoryOf = (frame: Buffer): number => {
      outbox.write(frame);
      outbox.flush();
      return (write.mock.lastCall?.[0] as Buffer).buffer.byteLength;
    };
    const short = Buffer.allocUnsafe(100).fill('x');
    expect(short.buffer.byteLength).toBeGreaterThan(1000);
    expect(memoryOf(short)).toBe(short.buffer.byteLength);
    outbox.write(Buffer.allocUnsafeSlow(30_000_000).fill('y'));
    outbox.flush();
    expect(ours.writableLength).toBeGreaterThan(1_000_000);
    expect(memoryOf(short)).toBe(100);
    // What has memory of its own is not copied.
    const long = Buffer.allocUnsafeSlow(5000);
    outbox.write(long);
    outbox.flush();
    expect(write.mock.lastCall?.[0]).toBe(long);
  });

  it('puts together only once what several sockets are sent', async () => {
    const pairs = await Promise.all([socketPair(), socketPair(), socketPair()]);
    const writes = pairs.map(([ours]) => vi.spyOn(ours, 'write'));
    const outboxes = pairs.map(([ours]) => outboxOn(ours, 1000).outbox);
    for (const frame of ['a', 'b'].map((text) => Buffer.from(text))) for (const outbox of outboxes) outbox.write(frame);
    outboxes[2]?.write(Buffer.from('c'));
    const received = await Promise.all(pairs.map(async ([, theirs]) => String(await once(theirs, 'data'))));
    expect(received).toEqual(['ab', 'ab', 'abc']);
    const [first, second, third] = writes.map((write) => write.mock.calls[0]?.[0]);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it.each([
    { sockets: 8, received: 'ab', calls: 1, what: 'waits for what the next turn brings' },
    { sockets: 7, received: 'ab', calls: 2, what: 'does not wait' },
  ])('$what where $sockets sockets are written to', async ({ sockets, received, calls }) => {
    const pairs = await Promise.all(Array.from({ length: sockets }, socketPair));
    const writes = pairs.map(([ours]) => vi.spyOn(ours, 'write'));
    const outboxes = pairs.map(([ours]) => outboxOn(ours, 1000).outbox);
    const arrived = pairs.map(([, theirs]) => textOf(theirs));
    for (const outbox of outboxes) outbox.write(Buffer.from('a'));
    await new Promise(setImmediate);
    for (const outbox of outboxes) outbox.write(Buffer.from('b'));
    await vi.waitFor(() => expect(arrived.map(({ text }) => text)).toEqual(pairs.map(() => received)));
    for (const write of writes) expect(write).toHaveBeenCalledTimes(calls);
  });

  it('does not wait for ever where each turn brings something', async () => {
    const pairs = await Promise.all(Array.from({ length: 8 }, socketPair));
    const outboxes = pairs.map(([ours]) => outboxOn(ours, 1000).outbox);
    const arrived = pairs.map(([, theirs]) => textOf(theirs));
    let turns = 0;
    for (; arrived[0]?.text === '' && turns < 10_000; turns++) {
      for (const outbox of outboxes) outbox.write(Buffer.from('x'));
      await new Promise(setImmediate);
    }
    expect(turns).toBeLessThan(10_000);
  });

  it('seldom waits where waiting brings nothing, and does again once it has brought something', async () => {
    const pairs = await Promise.all(Array.from({ length: 8 }, socketPair));
    const writes = pairs.map(([ours]) => vi.spyOn(ours, 'write'));
    const outboxes = pairs.map(([ours]) => outboxOn(ours, 100_000).outbox);
    /** @returns whether what was written left before the loop looked at the sockets again. */
    const leavesAtOnce = async (): Promise<boolean> => {
      writes.forEach((write) => write.mockClear());
      for (const outbox of outboxes) outbox.write(Buffer.from('x'));
      await new Promise((resolve) => process.nextTick(resolve));
      return writes.every((write) => write.mock.calls.length === 1);
    };
    const written = async (): Promise<void> => {
      while (writes.some((write) => write.mock.calls.length === 0)) await new Promise(setImmediate);
    };
    const atOnce: boolean[] = [];
    for (let i = 0; i < 100; i++) {
      atOnce.push(await leavesAtOnce());
      await written();
    }
    expect(atOnce.slice(0, 20)).not.toContain(true);
    // One turn of sixteen tries.
    expect(atOnce.slice(-32).filter((isAtOnce) => !isAtOnce)).toHaveLength(2);
    while (await leavesAtOnce()) await written();
    // This is what the wait was for.
    for (const outbox of outboxes) outbox.write(Buffer.from('more'));
    await written();
    expect(writes.map((write) => String(write.mock.lastCall?.[0]))).toEqual(writes.map(() => 'xmore'));
    expect(await leavesAtOnce()).toBe(false);
    await written();
  });

  it('does not hold back or put together what is large', async () => {
    const [ours, theirs] = await socketPair();
    const write = vi.spyOn(ours, 'write');
    const { outbox } = outboxOn(ours, 1_000_000);
    const frames = ['a', 'b', 'c'].map((text) => Buffer.alloc(40_000, text));
    for (const frame of frames) outbox.write(frame);
    let received = '';
    theirs.setEncoding('latin1').on('data', (text: string) => (received += text));
    await vi.waitFor(() => expect(received.length).toBe(120_000));
    expect(received).toBe(Buffer.concat(frames).toString('latin1'));
    expect(write.mock.calls.every(([data], i) => data === frames[i])).toBe(true);
    expect(write).toHaveBeenCalledTimes(3);
  });

  it('flushes on request, and gathers again afterwards', async () => {
    const [ours, theirs] = await socketPair();
    const { outbox } = outboxOn(ours, 1000);
    outbox.write(Buffer.from('a'));
    outbox.flush();
    ours.write('-');
    outbox.write(Buffer.from('b'));
    let received = '';
    theirs.on('data', (data: Buffer) => (received += data.toString()));
    await vi.waitFor(() => expect(received).toBe('a-b'));
  });

  it('reports a peer that does not read as soon as more waits for it than allowed', async () => {
    const [ours] = await socketPair();
    const { outbox, owner } = outboxOn(ours, 100_000);
    for (let written = 0; owner.gaveUp === 0 && written < 1000; written++) outbox.write(Buffer.alloc(65_536), true);
    expect(owner.gaveUp).toBe(1);
    expect(owner.said).toEqual([]);
    expect(ours.writableLength).toBeGreaterThan(100_000);
    expect(ours.writableLength).toBeLessThanOrEqual(100_000 + 65_536);
  });

  it('does not count what is only held back until the end of the turn, and lets one frame be larger', async () => {
    const [ours, theirs] = await socketPair();
    const { outbox, owner } = outboxOn(ours, 100, true);
    for (let i = 0; i < 50; i++) outbox.write(Buffer.alloc(90));
    outbox.write(Buffer.alloc(1000));
    let received = 0;
    theirs.on('data', (data: Buffer) => (received += data.length));
    await vi.waitFor(() => expect(received).toBe(5500));
    expect([owner.gaveUp, owner.said]).toEqual([0, []]);
  });

  it('lets what is small stand behind one frame that is larger than the bound, and nothing large', async () => {
    const [ours, theirs] = await socketPair();
    const { outbox, owner } = outboxOn(ours, 1_000_000);
    theirs.pause();
    const large = (length: number): LargeFrame =>
      new LargeFrame(Buffer.from('['), Buffer.alloc(length), undefined, true);
    const write = (frame: Buffer | LargeFrame): number => {
      outbox.write(frame);
      outbox.flush();
      return ours.writableLength;
    };
    const waiting = write(large(50_000_000));
    expect(waiting).toBeGreaterThan(1_000_000);
    expect([write(Buffer.alloc(4)), owner.gaveUp]).toEqual([waiting + 4, 0]);
    write(large(100_000));
    expect(owner.gaveUp).toBe(1);
  });

  it('is as strict as before once that frame has left', async () => {
    const [ours, theirs] = await socketPair();
    const { outbox, owner } = outboxOn(ours, 100_000);
    outbox.write(new LargeFrame(Buffer.from('['), Buffer.alloc(50_000_000), undefined, true));
    outbox.flush();
    theirs.resume();
    await once(ours, 'drain');
    theirs.pause();
    for (let written = 0; owner.gaveUp === 0 && written < 10_000; written++) {
      outbox.write(Buffer.alloc(8192));
      outbox.flush();
    }
    expect(owner.gaveUp).toBe(1);
    expect(ours.writableLength).toBeLessThanOrEqual(100_000 + 8192);
  });

  it('sends large frames without copying them, in order with the others', async () => {
    const [ours, theirs] = await socketPair();
    const write = vi.spyOn(ours, 'write');
    const received = textOf(theirs);
    const { outbox } = outboxOn(ours, 10_000_000);
    const body = Buffer.alloc(100_000, 'b');
    const large = (id: string): LargeFrame => new LargeFrame(Buffer.from(`[${id}`), body, Buffer.from(']'));
    outbox.write(Buffer.from('a'));
    outbox.write(large('1'), true);
    outbox.write(Buffer.from('b'));
    outbox.write(Buffer.from('c'));
    outbox.write(large('2'), true);
    outbox.write(Buffer.from('d'));
    const text = body.toString();
    const expected = `a[1${text}]bc[2${text}]d`;
    await vi.waitFor(() => expect(received.text.length).toBe(expected.length));
    expect(received.text).toBe(expected);
    expect(write.mock.calls.filter(([piece]) => (piece as unknown) === body)).toHaveLength(2);
  });

  it('what is written and not flushed yet goes out before an end', async () => {
    const [ours, theirs] = await socketPair();
    const received = textOf(theirs);
    const { outbox } = outboxOn(ours, 10_000_000);
    outbox.write(new LargeFrame(Buffer.from('['), Buffer.alloc(1_000_000, 'b'), Buffer.from(']')), true);
    outbox.write(Buffer.from('z'));
    outbox.flush();
    ours.end();
    await once(theirs, 'end');
    expect([received.text.length, received.text.at(-1)]).toEqual([1_000_003, 'z']);
  });

  it('gives a peer up for which one publication makes too much, without looking at all of it', async () => {
    const [ours] = await socketPair();
    const { outbox, owner } = outboxOn(ours, 5_000_000);
    const body = Buffer.alloc(1_000_000, 'b');
    let frames = 0;
    for (; owner.gaveUp === 0 && frames < 8192; frames++) outbox.write(new LargeFrame(Buffer.from('['), body), true);
    expect(frames).toBeLessThan(12);
    expect(ours.writableLength).toBe(0);
  });

  it('keeps an account in the sum of all of what waits, and only as long as it does', async () => {
    const before = unsentMemory.bytes;
    const [ours] = await socketPair();
    const { outbox, owner } = outboxOn(ours, 50_000_000);
    const body = Buffer.alloc(1_000_000, 'b');
    for (let i = 0; i < 30; i++) outbox.write(new LargeFrame(Buffer.from(`[${i}`), body), true);
    outbox.flush();
    expect(owner.gaveUp).toBe(0);
    // One payload and what stands around it, however often it waits.
    expect(unsentMemory.bytes - before).toBeGreaterThan(1_000_000);
    expect(unsentMemory.bytes - before).toBeLessThan(1_020_000);
    outbox.closed();
    expect(unsentMemory.bytes).toBe(before);
  });

  it('drops what is written to a socket that is gone', async () => {
    const [ours] = await socketPair();
    ours.destroy();
    const { outbox, owner } = outboxOn(ours, 100);
    expect(() => outbox.write(Buffer.alloc(1000))).not.toThrow();
    expect(owner.gaveUp).toBe(0);
  });
  describe('that drops events', () => {
    const MAX = 400_000;
    const EVENT_BYTES = 4096;
    /** What is put together before it is written, and looked at. */
    const PIECE_BYTES = 65_536;

    /** Writes events until the first one is dropped. @returns how many went out. */
    function fillWithEvents(outbox: Outbox, owner: Owner): number {
      for (let written = 0; written < 100_000; written++) {
        outbox.write(Buffer.alloc(EVENT_BYTES), true);
        if (owner.said.length > 0) return written;
      }
      throw new Error('no event was dropped');
    }

    it('drops them while more than a quarter of the bound waits, and nothing else up to the bound', async () => {
      const [ours] = await socketPair();
      const { outbox, owner } = outboxOn(ours, MAX, true);
      fillWithEvents(outbox, owner);
      outbox.flush();
      expect(ours.writableLength).toBeGreaterThan(MAX / 4);
      expect(ours.writableLength).toBeLessThanOrEqual(MAX / 4 + PIECE_BYTES + EVENT_BYTES);
      expect(owner.said).toEqual(['slow consumer, events dropped {"dropped":1,"droppedInAll":1}']);

      const before = ours.writableLength;
      for (let i = 0; i < 100; i++) outbox.write(Buffer.alloc(EVENT_BYTES), true);
      outbox.flush();
      expect(ours.writableLength).toBe(before);
      outbox.write(Buffer.alloc(1000));
      outbox.flush();
      expect(ours.writableLength).toBe(before + 1000);
      expect(owner.gaveUp).toBe(0);
      while (owner.gaveUp === 0) outbox.write(Buffer.alloc(EVENT_BYTES));
      // The objects around each piece that waits count, too.
      expect(ours.writableLength).toBeGreaterThan(MAX - 20 * PIECE_OVERHEAD_BYTES);
      expect(ours.writableLength).toBeLessThanOrEqual(MAX + PIECE_BYTES);

      outbox.closed();
      expect(owner.said).toHaveLength(2);
      expect(owner.said[1]).toBe('slow consumer, events dropped {"dropped":100,"droppedInAll":101}');
    });

    it('drops them, too, behind one that is larger than the bound', async () => {
      const [ours, theirs] = await socketPair();
      const { outbox, owner } = outboxOn(ours, MAX, true);
      theirs.pause();
      outbox.write(new LargeFrame(Buffer.from('['), Buffer.alloc(50_000_000)));
      outbox.flush();
      const before = ours.writableLength;
      for (let n = 0; n < 5; n++) outbox.write(Buffer.alloc(EVENT_BYTES), true);
      outbox.write(new LargeFrame(Buffer.from('['), Buffer.alloc(100_000)));
      outbox.flush();
      expect([ours.writableLength, owner.gaveUp]).toEqual([before, 0]);
      expect(owner.said).toEqual(['slow consumer, events dropped {"dropped":1,"droppedInAll":1}']);
    });

    it('sends them again to a peer that has caught up, in order, and says how many are missing', async () => {
      const [ours, theirs] = await socketPair();
      const { outbox, owner } = outboxOn(ours, MAX, true);
      theirs.pause();
      const sent = fillWithEvents(outbox, owner);
      for (let i = 0; i < 9; i++) outbox.write(Buffer.alloc(EVENT_BYTES), true);
      let received = 0;
      theirs.on('data', (data: Buffer) => (received += data.length)).resume();
      await vi.waitFor(() => expect(owner.said).toHaveLength(2));
      expect(owner.said[1]).toBe('slow consumer has caught up {"dropped":9,"droppedInAll":10}');
      outbox.write(Buffer.alloc(EVENT_BYTES), true);
      await vi.waitFor(() => expect(received).toBe((sent + 1) * EVENT_BYTES));
      outbox.closed();
      expect(owner.said).toHaveLength(2);
    });
  });
});
