/** Questions for the cookies of a borrower that have an open connection. */
import { expect, it, vi } from 'vitest';

import { HereAsked } from '../../../../src/cookie/lent/here-asked.js';
import { BadRecord } from '../../../../src/system/stream/record-reader.js';
import { cookieId } from '../../../support/cookie-store.js';
import { until } from '../../../support/until.js';

const [A, B, C] = [cookieId(1), cookieId(2), cookieId(3)];

it('asks one after the other, and puts the parts of an answer together', async () => {
  const put = vi.fn();
  const asked = new HereAsked(put);
  const [first, second] = [asked.ask(), asked.ask()];
  await until(() => expect(put).toHaveBeenCalledTimes(1));
  asked.heard([A], 1, false);
  asked.heard([B], 1, true);
  expect(await first).toEqual([A, B]);
  await until(() => expect(put).toHaveBeenCalledTimes(2));
  asked.heard([C], 1, true);
  expect(await second).toEqual([C]);
});

it('answers everybody when the borrower is gone, and asks nobody then', async () => {
  const put = vi.fn();
  const asked = new HereAsked(put);
  const both = Promise.all([asked.ask(), asked.ask()]);
  await until(() => expect(put).toHaveBeenCalledTimes(1));
  asked.heard([A], 1, false);
  asked.end();
  expect(await both).toEqual([[], []]);
  expect(await asked.ask()).toEqual([]);
  expect(put).toHaveBeenCalledTimes(1);
});

it('takes no answer that nobody wants, and none without an end', async () => {
  const put = vi.fn();
  const asked = new HereAsked(put);
  expect(() => asked.heard([], 1, true)).toThrow(BadRecord);
  const never = asked.ask();
  await until(() => expect(put).toHaveBeenCalled());
  expect(() => {
    for (let part = 0; part < 1000; part += 1) asked.heard([A], 1024 * 1024, false);
  }).toThrow(BadRecord);
  asked.end();
  expect(await never).toEqual([]);
});
