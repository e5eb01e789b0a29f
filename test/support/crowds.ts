/**
 * Crowds of real clients that come back by themselves after a restart: each with the retries that its library has by default
 * and one subscription. autobahn-js is told `max_retries: -1`, as its documents advise for clients that shall never give up; nobody else
 * is told anything.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import autobahn from 'autobahn';
import type { Browser } from 'playwright-core';
import { Wampy } from 'wampy';
import { WebSocket } from 'ws';

/** One client: the `authid` of each session that it had, and the first argument of each event. */
export interface Report {
  readonly authids: readonly string[];
  readonly events: readonly unknown[];
}

export interface Crowd {
  readonly name: string;
  readonly topic: string;
  readonly size: number;
  /** How many of them have a cookie to be known by; those come first in the reports. */
  readonly known: number;
  /** Everybody connects. */
  open(): Promise<void>;
  /** Resolves when everybody has got the event `end`. */
  reports(): Promise<readonly Report[]>;
  close(): Promise<void>;
}

export interface CrowdOptions {
  /** Of the page; the WebSocket is at `/ws` there. */
  readonly origin: string;
  readonly size: number;
  /** `Cookie` headers for the first clients of the crowd, where the library can be told; a browser has its own. */
  readonly cookies?: readonly string[];
}

const webSocketUrl = (origin: string): string => `${origin.replace(/^http/, 'ws')}/ws`;

/** What one client hears; made anew by nobody, whatever its sessions are. */
class Ear {
  readonly authids: string[] = [];
  readonly events: unknown[] = [];
  readonly ended: Promise<void>;
  #onEnd: () => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => (this.#onEnd = resolve));
  }

  hear(value: unknown): void {
    this.events.push(value);
    if (value === 'end') this.#onEnd();
  }
}

async function reportsOf(ears: readonly Ear[]): Promise<readonly Report[]> {
  await Promise.all(ears.map(({ ended }) => ended));
  return ears;
}

/** autobahn-js in this process. */
export function autobahnCrowd({ origin, size, cookies = [] }: CrowdOptions): Crowd {
  const topic = 'com.example.autobahn';
  const ears = Array.from({ length: size }, () => new Ear());
  const connections = ears.map((ear, index) => {
    const cookie = cookies[index];
    const headers = cookie === undefined ? {} : { cookie };
    const connection = new autobahn.Connection({
      realm: 'realm1',
      transports: [{ type: 'websocket', url: webSocketUrl(origin), headers }],
      max_retries: -1,
    });
    connection.onopen = (session, { authid }) => {
      ear.authids.push(authid);
      void session.subscribe(topic, ([value]) => ear.hear(value));
    };
    return connection;
  });
  return {
    name: 'autobahn-js in Node.js',
    topic,
    size,
    known: cookies.length,
    open: () => Promise.resolve(connections.forEach((connection) => connection.open())),
    reports: () => reportsOf(ears),
    close: () => Promise.resolve(connections.forEach((connection) => connection.close())),
  };
}

/** wampy in this process. It subscribes anew by itself. */
export function wampyCrowd({ origin, size, cookies = [] }: CrowdOptions): Crowd {
  const topic = 'com.example.wampy';
  const ears = Array.from({ length: size }, () => new Ear());
  const clients = ears.map((ear, index) => {
    const joined = (details: unknown): void => {
      ear.authids.push((details as { authid: string }).authid);
    };
    const cookie = cookies[index];
    // wampy hands over headers in a place where `ws` does not look.
    const Socket = class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, cookie === undefined ? {} : { headers: { cookie } });
      }
    };
    const client = new Wampy(webSocketUrl(origin), {
      realm: 'realm1',
      ws: Socket as never,
      onReconnectSuccess: joined,
    });
    const open = async () => {
      joined(await client.connect());
      await client.subscribe(topic, ({ argsList = [] }) => ear.hear(argsList[0]));
    };
    return { client, open };
  });
  return {
    name: 'wampy in Node.js',
    topic,
    size,
    known: cookies.length,
    open: async () => {
      await Promise.all(clients.map(({ open }) => open()));
    },
    reports: () => reportsOf(ears),
    close: async () => {
      await Promise.all(clients.map(({ client }) => client.disconnect()));
    },
  };
}

/** autobahn-js in tabs of a browser; each tab has a profile, and so a cookie, of its own, which the page brought. */
export function browserCrowd(browser: Browser, tabs: number, { origin, size }: CrowdOptions): Crowd {
  const topic = 'com.example.browser';
  const pages: Awaited<ReturnType<Browser['newPage']>>[] = [];
  return {
    name: `autobahn-js in ${tabs} tabs of Chromium`,
    topic,
    size,
    known: size,
    open: async () => {
      for (let tab = 0; tab < tabs; tab++) {
        const page = await browser.newPage();
        pages.push(page);
        await page.goto(origin);
        await page.addScriptTag({ url: '/crowd.js' });
        await page.evaluate(`crowd.open(${JSON.stringify({ topic, size: size / tabs })})`);
      }
    },
    reports: async () => (await Promise.all(pages.map((page) => page.evaluate<Report[]>('crowd.reports()')))).flat(),
    close: async () => {
      await Promise.all(pages.map((page) => page.close()));
    },
  };
}

/** The interpreter of the Debian packages; another one in PATH would not find them. */
export const PYTHON = '/usr/bin/python3';

/** Components of autobahn-python, in a process of their own. They cannot be told of cookies. */
export function pythonCrowd({ origin, size }: CrowdOptions): Crowd {
  const topic = 'com.example.python';
  const script = path.resolve(import.meta.dirname, '../clients/autobahn_python_crowd.py');
  const reports: Report[] = [];
  let close = (): Promise<void> => Promise.resolve();
  let complete: () => void = () => undefined;
  const completed = new Promise<void>((resolve) => (complete = resolve));
  return {
    name: 'autobahn-python on asyncio',
    topic,
    size,
    known: 0,
    open: () => {
      const child = spawn(PYTHON, [script, webSocketUrl(origin), topic, String(size)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (reports.push(JSON.parse(line) as Report) === size) complete();
      });
      const ended = once(child, 'close');
      close = async () => {
        child.kill('SIGKILL');
        await ended;
      };
      return Promise.resolve();
    },
    reports: async () => {
      await completed;
      return reports;
    },
    close: () => close(),
  };
}
