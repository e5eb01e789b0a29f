/** What the file store does with its file over many thousand changes. */
import { describe, expect, it } from 'vitest';

import { liveLine } from '../../../../src/cookie/file/line.js';
import { cookieId, cookieRecord, DELETED, JOE, MODIFIED } from '../../../support/cookie-store.js';
import { createMany, FILE, linesOf, openOn } from '../../../support/file-store.js';
import { SimulatedDisk } from '../../../support/simulated-disk.js';

describe('compaction', () => {
  it('happens while running, and loses nothing that arrives meanwhile', async () => {
    const disk = new SimulatedDisk();
    const { store, warnings } = await openOn(disk);
    await createMany(store, 0, 1000);
    const rounds = 14;
    let previous: Promise<unknown> = Promise.resolve();
    for (let round = 1; round <= rounds; round += 1) {
      const auth = { ...JOE, authid: `round ${round}` };
      const logins = Array.from({ length: 1000 }, (_, n) => store.update(cookieId(n), { auth, modified: MODIFIED }));
      const asked = Promise.all([...logins, store.create(cookieRecord(cookieId(1000 + round)))]);
      await previous; // so that there is always a round in flight, also while the file is rewritten
      previous = asked;
    }
    await previous;
    await Promise.all(Array.from({ length: 50 }, (_, n) => store.delete(cookieId(n), DELETED)));
    await store.close();
    expect(linesOf(disk).length).toBeLessThan(3000);
    expect(disk.files()).toEqual([FILE]);
    expect(warnings()).toEqual([]);
    const again = await openOn(disk);
    expect(await again.store.get(cookieId(0))).toBeUndefined();
    expect(await again.store.get(cookieId(50))).toMatchObject({ auth: { authid: `round ${rounds}` } });
    for (let n = 1; n <= rounds; n += 1) expect(await again.store.get(cookieId(1000 + n))).toBeDefined();
  });

  it(
    'keeps the file of 100,000 logins and logouts of a thousand cookies below twice its smallest size',
    { timeout: 300_000 },
    async () => {
      const disk = new SimulatedDisk();
      const { store } = await openOn(disk);
      await createMany(store, 0, 1000);
      for (let round = 0; round < 1000; round += 1) {
        const auth = round % 20 < 10 ? JOE : null; // a tenth of the cookies at a time
        const modified = new Date(round).toISOString();
        const some = Array.from({ length: 100 }, (_, n) => cookieId((round % 10) * 100 + n));
        await Promise.all(some.map((cbtid) => store.update(cbtid, { auth, modified })));
        if (round % 50 !== 49) continue;
        const live = (await store.list()).map(liveLine).join('').length;
        expect(disk.content(FILE)?.length).toBeLessThanOrEqual(2 * live);
      }
      await store.close();
    },
  );

  it('that fails is reported once and harms nothing', async () => {
    const disk = new SimulatedDisk();
    disk.put(FILE, liveLine(cookieRecord(cookieId(1))).repeat(501));
    const { store, warnings } = await openOn(disk);
    disk.isFullFor = (file) => file.endsWith('.tmp');
    for (let batch = 0; batch < 11; batch += 1) {
      const changes = Array.from({ length: 1000 }, (_, n) =>
        store.update(cookieId(1), { auth: { ...JOE, authid: `${batch} ${n}` }, modified: MODIFIED }),
      );
      await Promise.all(changes);
    }
    await store.create(cookieRecord(cookieId(2)));
    await store.close();
    expect(warnings()).toMatchObject([{ msg: 'cookie file could not be compacted' }]);
    disk.isFullFor = () => false;
    const again = await openOn(disk);
    expect(await again.store.get(cookieId(1))).toMatchObject({ auth: { authid: '10 999' } });
    expect(await again.store.get(cookieId(2))).toBeDefined();
    expect(linesOf(disk)).toHaveLength(2);
  });
});
