import { expect, it } from 'vitest';

import { longestTimes } from '../../../src/webservice/request-times.js';

it('are ten seconds for the headers and twenty for the body where no service has a say', () => {
  expect(longestTimes([])).toEqual({ headersMs: 10_000, bodyMs: 20_000 });
  expect(longestTimes([{}, {}])).toEqual({ headersMs: 10_000, bodyMs: 20_000 });
});

it('are the longest that any service wants, shorter ones for headers too', () => {
  expect(longestTimes([{ headersMs: 2_500 }, {}])).toEqual({ headersMs: 2_500, bodyMs: 20_000 });
  const times = [{ headersMs: 2_500, bodyMs: 60_000 }, { headersMs: 30_000 }, { bodyMs: 1_000 }];
  expect(longestTimes(times)).toEqual({ headersMs: 30_000, bodyMs: 60_000 });
});

it('are without limit for the headers where one service wants that', () => {
  expect(longestTimes([{ headersMs: 2_500 }, { headersMs: 0 }]).headersMs).toBe(0);
});
