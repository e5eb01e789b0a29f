import { expect, it } from 'vitest';
import { Incoming } from '../../../src/mqtt/incoming.js';

it('a packet id is new until it is released', () => {
  const incoming = new Incoming();
  expect([incoming.begins(7), incoming.begins(7), incoming.begins(65_535)]).toEqual([true, false, true]);
  incoming.ends(7);
  expect([incoming.begins(7), incoming.begins(65_535)]).toEqual([true, false]);
});

it('memory is let go of when no id is in use, and never before', () => {
  const incoming = new Incoming();
  incoming.ends(1);
  expect(incoming.bytes).toBe(0);
  for (const id of [1, 1, 2]) incoming.begins(id);
  for (const id of [1, 1, 3]) incoming.ends(id);
  incoming.rest();
  expect([incoming.bytes, incoming.begins(2)]).toEqual([8192, false]);
  incoming.ends(2);
  incoming.rest();
  expect([incoming.bytes, incoming.begins(2)]).toEqual([0, true]);
});
