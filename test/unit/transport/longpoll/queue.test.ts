import { describe, expect, it } from 'vitest';
import { MessageQueue } from '../../../../src/transport/longpoll/queue.js';

const queueOf = (...texts: string[]): MessageQueue => {
  const queue = new MessageQueue();
  for (const text of texts) queue.push(Buffer.from(text), true);
  return queue;
};
const texts = (messages: readonly Buffer[]): string[] => messages.map(String);

describe('the messages that wait', () => {
  it('are taken one by one, in order', () => {
    const queue = queueOf('a', 'bb', 'ccc');
    expect([queue.count, queue.bytes]).toEqual([3, 6]);
    expect(texts(queue.take(0))).toEqual(['a']);
    expect(queue.isTaken).toBe(true);
    queue.sent();
    expect([queue.count, queue.bytes, queue.isTaken]).toEqual([2, 5, false]);
    expect(texts(queue.take(0))).toEqual(['bb']);
  });

  it('are taken together as long as they fit, at least one', () => {
    const queue = queueOf('aaaa', 'bb', 'cc', 'd');
    expect(texts(queue.take(3))).toEqual(['aaaa']);
    queue.sent();
    expect(texts(queue.take(4))).toEqual(['bb', 'cc']);
    queue.sent();
    expect(texts(queue.take(4))).toEqual(['d']);
  });

  it('count until they have left, and are first again when they did not', () => {
    const queue = queueOf('a', 'b');
    queue.take(0);
    expect(queue.bytes).toBe(2);
    queue.push(Buffer.from('c'), false);
    queue.putBack();
    expect(texts(queue.take(100))).toEqual(['a', 'b', 'c']);
    queue.sent();
    expect([queue.count, queue.bytes]).toEqual([0, 0]);
  });

  it('a short one that has to wait does not keep the piece that it is cut from', () => {
    const piece = Buffer.allocUnsafeSlow(65_536);
    const kept = queueOf().push(piece.subarray(0, 100), false);
    expect(kept.buffer.byteLength).toBeLessThan(1000);
    const soon = piece.subarray(0, 100);
    expect(queueOf().push(soon, true)).toBe(soon);
    expect(queueOf().push(piece, false)).toBe(piece);
  });

  it('go through in great numbers', () => {
    const queue = queueOf();
    const others: number[] = [];
    for (let i = 0; i < 10_000; i++) {
      queue.push(Buffer.from(String(i)), true);
      queue.push(Buffer.from('x'), true);
      if (texts(queue.take(0)).length !== 1) others.push(i);
      queue.sent();
    }
    expect(others).toEqual([]);
    expect(queue.count).toBe(10_000);
    queue.clear();
    expect([queue.count, queue.bytes]).toEqual([0, 0]);
  });
});
