/**
 * One client of a crowd, as a program would have it: it comes back by itself, with the retries that its library has by default, and
 * subscribes. What it hears it also does: at `call` it calls, at `end` it says what it has seen.
 *
 * It runs in this process and, translated, in a page: therefore it imports nothing but types, and is given its library. autobahn-js is
 * told `max_retries: -1`, as its documents advise for clients that shall never give up; nobody else is told anything.
 */
import type autobahnLibrary from 'autobahn';
import type { Wampy } from 'wampy';

export interface Report {
  /** Of each session that it had. */
  readonly authids: readonly string[];
  /** How often it had to prove who it is; a cookie spares it that. */
  readonly challenges: number;
  /** The first argument of each event. */
  readonly events: readonly unknown[];
  /** What became of each call: `result`, the URI of an error, or `no answer`. */
  readonly outcomes: readonly string[];
}

export interface MemberOptions {
  readonly url: string;
  readonly topic: string;
  /** What it calls. */
  readonly procedure: string;
  /** Who it is, where it has a ticket for that; the cookie counts first. */
  readonly login?: { readonly authid: string; readonly ticket: string } | undefined;
  /** The header, where the library can be told; a browser has its own. */
  readonly cookie?: string | undefined;
}

export interface Member {
  open(): void;
  close(): void;
  /** Resolves with the first session. */
  readonly joined: Promise<void>;
  /** Resolves when it was told `end`. */
  readonly report: Promise<Report>;
}

const AUTHMETHODS = ['cookie', 'ticket'];

class Diary {
  readonly authids: string[] = [];
  challenges = 0;
  readonly events: unknown[] = [];
  readonly outcomes: string[] = [];
  readonly joined: Promise<void>;
  readonly report: Promise<Report>;
  #onJoin: () => void = () => undefined;
  #onEnd: (report: Report) => void = () => undefined;

  constructor() {
    this.joined = new Promise((resolve) => (this.#onJoin = resolve));
    this.report = new Promise((resolve) => (this.#onEnd = resolve));
  }

  welcome(authid: string): void {
    this.authids.push(authid);
    this.#onJoin();
  }

  hear(value: unknown, call: () => Promise<unknown>): void {
    this.events.push(value);
    if (value === 'call') this.#note(call());
    const { authids, challenges, events, outcomes } = this;
    if (value === 'end') this.#onEnd({ authids, challenges, events, outcomes });
  }

  #note(call: Promise<unknown>): void {
    const place = this.outcomes.push('no answer') - 1;
    const settle = (outcome: string): void => void (this.outcomes[place] = outcome);
    call.then(
      () => settle('result'),
      (error: unknown) => {
        const { error: uri, errorUri, name } = error as Readonly<Record<string, string | undefined>>;
        settle(uri ?? errorUri ?? String(name));
      },
    );
  }
}

/** A client of autobahn-js. */
export function autobahnMember(library: typeof autobahnLibrary, options: MemberOptions): Member {
  const { url, topic, procedure, login, cookie } = options;
  const diary = new Diary();
  const connection = new library.Connection({
    realm: 'realm1',
    transports: [{ type: 'websocket', url, headers: cookie === undefined ? {} : { cookie } }],
    max_retries: -1,
    ...(login && {
      authid: login.authid,
      authmethods: AUTHMETHODS,
      onchallenge: () => {
        diary.challenges += 1;
        return login.ticket;
      },
    }),
  });
  connection.onopen = (session, { authid }) => {
    diary.welcome(authid);
    void session.subscribe(topic, ([value]) => diary.hear(value, () => session.call(procedure)));
  };
  const { joined, report } = diary;
  return { open: () => connection.open(), close: () => connection.close(), joined, report };
}

/** A client of wampy. It subscribes anew by itself. @param ws what connects, where the platform has no WebSocket. */
export function wampyMember(library: typeof Wampy, options: MemberOptions, ws?: object): Member {
  const { url, topic, procedure, login } = options;
  const diary = new Diary();
  const welcome = (details: unknown): void => diary.welcome((details as { authid: string }).authid);
  const client = new library(url, {
    realm: 'realm1',
    onReconnectSuccess: welcome,
    ...(ws && { ws: ws as never }),
    ...(login && {
      authid: login.authid,
      authmethods: AUTHMETHODS,
      onChallenge: () => {
        diary.challenges += 1;
        return login.ticket;
      },
    }),
  });
  const open = async (): Promise<void> => {
    welcome(await client.connect());
    await client.subscribe(topic, ({ argsList = [] }) => diary.hear(argsList[0], () => client.call(procedure)));
  };
  const { joined, report } = diary;
  return { open: () => void open(), close: () => void client.disconnect(), joined, report };
}
