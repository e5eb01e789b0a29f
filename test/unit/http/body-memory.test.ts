import { expect, it } from 'vitest';

import { BodyMemory, HeldBody } from '../../../src/http/body-memory.js';

const KIB = 1024;

it('keeps the bytes of a body in their order, however they come', () => {
  const body = new HeldBody(new BodyMemory());
  const text = 'abcdefghij'.repeat(5000);
  for (let at = 0; at < text.length; at += 999) expect(body.add(Buffer.from(text.slice(at, at + 999)))).toBe(true);
  expect(body.length).toBe(text.length);
  expect(body.bytes.toString()).toBe(text);
});

it('charges what a body holds, and nothing for what it announces', () => {
  const memory = new BodyMemory();
  const body = new HeldBody(memory, 1024 * KIB);
  expect(memory.bytes).toBe(0);
  body.add(Buffer.alloc(1));
  expect(memory.bytes).toBeLessThanOrEqual(8 * KIB);
  body.add(Buffer.alloc(100 * KIB));
  expect(memory.bytes).toBeGreaterThan(100 * KIB);
  body.release();
  body.release();
  expect(memory.bytes).toBe(0);
});

it('holds no more than a body of known length has', () => {
  const memory = new BodyMemory();
  const body = new HeldBody(memory, 10_000);
  for (let index = 0; index < 10; index += 1) body.add(Buffer.alloc(1000));
  expect(memory.bytes).toBe(10_000);
});

it('copies small chunks, so that none keeps alive what was read with it', () => {
  const body = new HeldBody(new BodyMemory());
  const read = Buffer.alloc(64 * KIB, 'r');
  body.add(read.subarray(0, 1));
  expect(body.bytes.buffer).not.toBe(read.buffer);
});

it('has room again for others when a body has gone', () => {
  const memory = new BodyMemory(40 * KIB);
  const [one, other] = [new HeldBody(memory), new HeldBody(memory)];
  expect(one.add(Buffer.alloc(30 * KIB))).toBe(true);
  expect(other.add(Buffer.alloc(5 * KIB))).toBe(true);
  expect(other.add(Buffer.alloc(20 * KIB))).toBe(false);
  expect(other.length).toBe(5 * KIB);
  one.release();
  expect(other.add(Buffer.alloc(20 * KIB))).toBe(true);
  expect(other.length).toBe(25 * KIB);
});
