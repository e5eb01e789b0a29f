/** What every engine of a cluster promises. A new one passes this suite. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { EngineError } from '../../src/engine/engine.js';
import type { Bucket, Change, Engine, EngineMessage } from '../../src/engine/engine.js';

/** What carries the cluster in these tests. */
export interface EngineWorld {
  /** One more node. */
  connect(): Promise<Engine>;
  /** Breaks the link of a node, and lets it come back when `mend` is called. */
  cut(engine: Engine): Promise<() => Promise<void> | void>;
  /** What carries the cluster goes, and comes back without any value. */
  lose(): Promise<void>;
  stop(): Promise<void>;
}

export interface EngineSubject {
  readonly name: string;
  readonly start: () => Promise<EngineWorld>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data);

/** Things that come in, to be waited for. */
class Inbox<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  readonly push = (value: T): void => {
    this.all.push(value);
    for (const proceed of this.#waiting.splice(0)) proceed();
  };

  async until(isThere: (all: readonly T[]) => boolean): Promise<readonly T[]> {
    while (!isThere(this.all)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.all;
  }

  count(count: number): Promise<readonly T[]> {
    return this.until((all) => all.length >= count);
  }
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => new Error('it did not reject'),
    (reason: unknown) => reason,
  );
  return error instanceof EngineError ? error.fault : String(error);
}

/** Resolves when the link of a node is up. */
async function up(engine: Engine): Promise<void> {
  const link = new Inbox<boolean>();
  engine.onLink(link.push);
  if (!engine.isUp) await link.until((all) => all.includes(true));
}

/** `to` has subscribed to `ping`: resolves when a message of `from` reaches it. */
async function known(from: Engine, to: Engine): Promise<void> {
  const came = new Inbox<EngineMessage>();
  const end = to.subscribe('ping', came.push);
  for (let count = 0; came.all.length === 0; count++) {
    from.publish('ping', text(String(count)));
    await from.flush();
    await Promise.race([came.count(1), new Promise((resolve) => setTimeout(resolve, 5))]);
  }
  end();
}

export function engineContract({ name, start }: EngineSubject): void {
  describe(`the engine ${name}`, () => {
    let world: EngineWorld;
    const open: Engine[] = [];
    beforeAll(async () => {
      world = await start();
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((engine) => engine.close()));
    });
    afterAll(() => world.stop());

    async function node(): Promise<Engine> {
      const engine = await world.connect();
      open.push(engine);
      return engine;
    }

    let lastBucket = 0;
    /** A bucket that no other test has, as two nodes see it. */
    function bucketOf<const E extends readonly Engine[]>(...engines: E): Promise<{ [K in keyof E]: Bucket }> {
      lastBucket += 1;
      return sameBucket(...engines);
    }

    /** The bucket of this test once more: it is made if it is gone. */
    async function sameBucket<const E extends readonly Engine[]>(...engines: E): Promise<{ [K in keyof E]: Bucket }> {
      const title = `bucket${lastBucket}`;
      const buckets: Bucket[] = [];
      for (const engine of engines) buckets.push(await engine.bucket(title, { durable: true }));
      return buckets as { [K in keyof E]: Bucket };
    }

    messages(node, () => world);
    buckets(node, { bucketOf, sameBucket }, () => world);
  });
}

type NewNode = () => Promise<Engine>;
type BucketOf = <const E extends readonly Engine[]>(...engines: E) => Promise<{ [K in keyof E]: Bucket }>;

function messages(node: NewNode, world: () => EngineWorld): void {
  it('carries bytes as they are, by exact subject and by pattern, to other nodes and the own', async () => {
    const [sender, receiver] = [await node(), await node()];
    const came = new Inbox<string>();
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    let got: Uint8Array | undefined;
    for (const pattern of ['a.b', 'a.*', 'a.>', '>', 'a.*.c', 'a', 'x.>', 'a.b.>']) {
      receiver.subscribe(pattern, ({ data }) => {
        got = Uint8Array.from(data);
        came.push(pattern);
      });
    }
    await known(sender, receiver);
    sender.subscribe('a.b', () => came.push('own'));
    sender.publish('a.b', bytes);
    // Its own pings may have come by ">" before.
    await came.until((all) => ['a.b', 'a.*', 'a.>', 'own'].every((pattern) => all.includes(pattern)));
    await known(sender, receiver);
    expect(got).toBeDefined();
    expect(came.all.filter((pattern) => pattern !== '>').sort()).toEqual(['a.*', 'a.>', 'a.b', 'own']);
    const exact = new Inbox<Uint8Array>();
    receiver.subscribe('bytes', ({ data }) => exact.push(Uint8Array.from(data)));
    await known(sender, receiver);
    sender.publish('bytes', bytes);
    expect((await exact.count(1))[0]).toEqual(bytes);
  });

  it('keeps the order of one node over different subjects', async () => {
    const [sender, receiver] = [await node(), await node()];
    const came = new Inbox<string>();
    for (const subject of ['one', 'two', 'three.*'])
      receiver.subscribe(subject, ({ data }) => came.push(read(data) ?? ''));
    await known(sender, receiver);
    const subjects = ['one', 'two', 'three.x'];
    const sent = Array.from({ length: 3000 }, (_, index) => String(index));
    for (const value of sent) sender.publish(subjects[Number(value) % 3] ?? '', text(value));
    expect(await came.count(3000)).toEqual(sent);
  });

  it('says when nobody was there for a message that wants an answer, and nothing of one that was received', async () => {
    const [asking, answering] = [await node(), await node()];
    const answers = new Inbox<EngineMessage>();
    asking.subscribe('answers.*', answers.push);
    asking.publish('nobody.there', text('x'), 'answers.1');
    const [undelivered] = await answers.count(1);
    expect(undelivered).toMatchObject({ subject: 'answers.1', undelivered: true });
    answering.subscribe('somebody', ({ data, reply }) => answering.publish(reply ?? '', data));
    await known(asking, answering);
    asking.publish('somebody', text('hello'), 'answers.2');
    const all = await answers.count(2);
    expect(all[1]).toMatchObject({ subject: 'answers.2', undelivered: false });
    expect(read(all[1]?.data)).toBe('hello');
  });

  it('does not say it again after an unsubscribe, and never calls within a call', async () => {
    const engine = await node();
    let isWithin = false;
    const came = new Inbox<boolean>();
    const end = engine.subscribe('s', () => came.push(isWithin));
    isWithin = true;
    engine.publish('s', text('1'));
    isWithin = false;
    expect(await came.count(1)).toEqual([false]);
    engine.publish('s', text('2'));
    end();
    end();
    await engine.flush();
    await engine.flush();
    expect(came.all).toHaveLength(1);
  });

  it('refuses what is too large, and goes on', async () => {
    const engine = await node();
    const came = new Inbox<number>();
    engine.subscribe('large', ({ data }) => came.push(data.length));
    expect(engine.maxMessageBytes).toBeGreaterThan(100_000);
    expect(() => engine.publish('large', new Uint8Array(engine.maxMessageBytes + 1))).toThrow(
      expect.objectContaining({ fault: 'too_large' }) as Error,
    );
    engine.publish('large', new Uint8Array(engine.maxMessageBytes));
    expect(await came.count(1)).toEqual([engine.maxMessageBytes]);
  });

  it('tells of a lost link, refuses meanwhile, and comes back with its subscriptions', async () => {
    const [here, there] = [await node(), await node()];
    const came = new Inbox<string>();
    here.subscribe('news', ({ data }) => came.push(read(data) ?? ''));
    const link = new Inbox<boolean>();
    here.onLink(link.push);
    const mend = await world().cut(here);
    expect(await link.count(1)).toEqual([false]);
    expect(here.isUp).toBe(false);
    expect(() => here.publish('news', text('x'))).toThrow(expect.objectContaining({ fault: 'unavailable' }) as Error);
    await mend();
    expect(await link.count(2)).toEqual([false, true]);
    expect(here.isUp).toBe(true);
    await known(there, here);
    there.publish('news', text('back'));
    expect(await came.count(1)).toEqual(['back']);
  });

  it('is closed once and for all', async () => {
    const engine = await node();
    const came = new Inbox<EngineMessage>();
    engine.subscribe('after', came.push);
    await engine.close();
    await engine.close();
    expect(() => engine.publish('after', text('x'))).toThrow(
      expect.objectContaining({ fault: 'unavailable' }) as Error,
    );
    expect(came.all).toEqual([]);
  });
}

function buckets(
  node: NewNode,
  { bucketOf, sameBucket }: Readonly<Record<'bucketOf' | 'sameBucket', BucketOf>>,
  world: () => EngineWorld,
): void {
  it('keeps values that all nodes see alike', async () => {
    const [one, two] = await bucketOf(await node(), await node());
    expect(await one.get('k')).toBeUndefined();
    const first = await one.create('k', text('1'));
    expect(read(await two.get('k'))).toBe('1');
    const second = await two.put('k', text('2'));
    expect(second).toBeGreaterThan(first);
    expect(read(await one.get('k'))).toBe('2');
    expect(await one.delete('k')).toBeGreaterThan(second);
    expect(await two.get('k')).toBeUndefined();
    await two.put('k', text('3'));
    expect(read(await one.get('k'))).toBe('3');
    expect(await one.get('never')).toBeUndefined();
  });

  it('lets one of three nodes be first, every time, and remembers it after a deletion', async () => {
    const buckets = await bucketOf(await node(), await node(), await node());
    for (let round = 0; round < 30; round++) {
      const key = `round.${round}`;
      const results = await Promise.allSettled(buckets.map((bucket, index) => bucket.create(key, text(String(index)))));
      const first = results.findIndex(({ status }) => status === 'fulfilled');
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(read(await buckets[0].get(key))).toBe(String(first));
    }
    expect(await faultOf(buckets[1].create('round.1', text('x')))).toBe('conflict');
    await buckets[0].delete('round.1');
    expect(await faultOf(buckets[1].create('round.1', text('x')))).toBe('conflict');
    expect(await buckets[1].get('round.1')).toBeUndefined();
    await buckets[2].erase('round.1');
    await buckets[1].create('round.1', text('again'));
    expect(read(await buckets[0].get('round.1'))).toBe('again');
  });

  it('sees what another node has just written, every time', async () => {
    const [one, two] = await bucketOf(await node(), await node());
    for (let round = 0; round < 100; round++) {
      await one.put('k', text(String(round)));
      expect(read(await two.get('k'))).toBe(String(round));
    }
  });

  it('erases without a trace', async () => {
    const [one, two] = await bucketOf(await node(), await node());
    await one.create('a=2f.b-_c', text('1'));
    await one.create('other', text('1'));
    await two.erase('a=2f.b-_c');
    await two.erase('never');
    expect(await one.get('a=2f.b-_c')).toBeUndefined();
    expect(read(await one.get('other'))).toBe('1');
    const came = new Inbox<Change>();
    await two.watch(came.push);
    expect(came.all.map(({ key }) => key)).toEqual(['other']);
  });

  it('tells a watcher of what is there, and then of each change, in order', async () => {
    const [one, two] = await bucketOf(await node(), await node());
    const nothing = new Inbox<Change>();
    (await two.watch(nothing.push))();
    expect(nothing.all).toEqual([]);
    const revisions = [
      await one.create('old.a', text('1')),
      await one.create('old.b', text('2')),
      await one.create('gone', text('x')),
      await one.delete('gone'),
      await one.put('old.a', text('3')),
    ];
    const came = new Inbox<Change>();
    const end = await two.watch(came.push);
    expect(came.all.map(({ key, value, revision }) => [key, read(value), revision])).toEqual([
      ['old.b', '2', revisions[1]],
      ['gone', undefined, revisions[3]],
      ['old.a', '3', revisions[4]],
    ]);
    const created = await one.create('new', text('n'));
    const put = await two.put('old.b', text('3'));
    const deleted = await one.delete('new');
    const news = (await came.count(6)).slice(3);
    expect(news.map(({ key, value, revision }) => [key, read(value), revision])).toEqual([
      ['new', 'n', created],
      ['old.b', '3', put],
      ['new', undefined, deleted],
    ]);
    end();
    end();
    await one.create('late', text('x'));
    await one.get('late');
    expect(came.all).toHaveLength(6);
  });

  it('tells a watcher each change once, however many there are', async () => {
    const [one, two] = await bucketOf(await node(), await node());
    const came = new Inbox<string>();
    await two.watch(({ value }) => came.push(read(value) ?? ''));
    const sent = Array.from({ length: 500 }, (_, index) => String(index));
    for (let at = 0; at < sent.length; at += 50) {
      await Promise.all(sent.slice(at, at + 50).map((value) => one.put(`k${value}`, text(value))));
    }
    expect([...(await came.count(500))].sort((a, b) => Number(a) - Number(b))).toEqual(sent);
  });

  it('tells a watcher what changed while its link was lost', async () => {
    const [here, there] = [await node(), await node()];
    const [ours, theirs] = await bucketOf(here, there);
    await theirs.create('a', text('1'));
    await theirs.create('b', text('1'));
    const now = new Map<string, string | undefined>();
    const came = new Inbox<Change>();
    await ours.watch((change) => {
      now.set(change.key, read(change.value));
      came.push(change);
    });
    const mend = await world().cut(here);
    expect(await faultOf(ours.get('a'))).toBe('unavailable');
    await theirs.delete('a');
    await theirs.create('c', text('3'));
    await mend();
    await came.until(() => now.get('c') === '3' && now.get('a') === undefined);
    expect(now.get('b')).toBe('1');
    await theirs.create('d', text('4'));
    await came.until(() => now.get('d') === '4');
  });

  it('says once that the values are gone, and has them anew for whoever asks for the bucket again', async () => {
    const [here, there] = [await node(), await node()];
    const [ours, theirs] = await bucketOf(here, there);
    await theirs.create('a', text('1'));
    await theirs.create('b', text('1'));
    const came = new Inbox<Change>();
    const gone = new Inbox<string>();
    await ours.watch(came.push, () => gone.push('ours'));
    await theirs.watch(
      () => undefined,
      () => gone.push('theirs'),
    );
    (
      await theirs.watch(
        () => undefined,
        () => gone.push('one that was ended'),
      )
    )();
    await world().lose();
    expect([...(await gone.count(2))].sort()).toEqual(['ours', 'theirs']);
    const [again, alsoAgain] = await sameBucket(here, there);
    await again.create('a', text('anew'));
    expect(read(await alsoAgain.get('a'))).toBe('anew');
    expect(await alsoAgain.get('b')).toBeUndefined();
    expect(came.all.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(gone.all).toHaveLength(2);
  });

  it('notices that the values are gone also when another node has made the bucket again, and written to it', async () => {
    const [here, there] = [await node(), await node()];
    const [ours] = await bucketOf(here);
    await ours.create('a', text('1'));
    const came = new Inbox<Change>();
    const gone = new Inbox<true>();
    await ours.watch(came.push, () => gone.push(true));
    const mend = await world().cut(here);
    await world().lose();
    await up(there);
    const [anew] = await sameBucket(there);
    for (const key of ['x', 'y', 'z']) await anew.create(key, text('1'));
    await mend();
    await gone.count(1);
    expect(came.all.map(({ key }) => key)).toEqual(['a']);
  });
}
