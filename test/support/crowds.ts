/** Crowds of real clients (`members.ts`) that come back by themselves after a restart: in this process, in Chromium, in Python. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import autobahn from 'autobahn';
import type { Browser, Page } from 'playwright-core';
import ts from 'typescript';
import { Wampy } from 'wampy';
import { WebSocket } from 'ws';
import { AUTOBAHN_PAGE_PATHS } from './browser.js';
import { autobahnMember, wampyMember } from './members.js';
import type { Member, MemberOptions, Report } from './members.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What all of them call. */
export const PROCEDURE = 'com.example.slow';

export interface Crowd {
  readonly name: string;
  readonly topic: string;
  readonly size: number;
  /** Everybody connects. */
  open(): Promise<unknown>;
  /** Resolves when everybody has got the event `end`. */
  reports(): Promise<readonly Report[]>;
  close(): Promise<unknown>;
}

/** What the two hundred of a crowd of crowds need of a node. */
export const CROWD_PATHS = {
  ...AUTOBAHN_PAGE_PATHS,
  wampy: { type: 'static', directory: path.join(ROOT, 'node_modules/wampy/dist/browser') },
} as const;

const ticketOf = (authid: string): string => `the ticket of ${authid}`;
const loginOf = (authid: string): { authid: string; ticket: string } => ({ authid, ticket: ticketOf(authid) });
const names = (word: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${word}${index}`);

/** Connections of a tab: Chromium opens those of one tab the later, the more of them wait. */
const IN_TAB = 10;
const TABS = { autobahn: 6, wampy: 4 } as const;
const SIZES = { autobahn: 40, wampy: 30, python: 30 } as const;

/** Of those in the tabs, every other tab has a login. All of autobahn-python have one, because it cannot be told of cookies. */
const users = [
  ...names('autobahn-tab', TABS.autobahn),
  ...names('wampy-tab', TABS.wampy),
  ...names('python', SIZES.python),
];

/** The `auth` section of the path `/ws` that knows them. */
export const CROWD_AUTH = {
  cookie: {},
  ticket: {
    type: 'static',
    principals: Object.fromEntries(users.map((user) => [user, { ticket: ticketOf(user), role: 'anonymous' }])),
  },
  anonymous: { type: 'static', role: 'anonymous' },
};

/** Two hundred clients of three libraries, half of them in Chromium. Each has a cookie or a login. @param origin of the page; the WebSocket is at `/ws` there. */
export async function twoHundred(browser: Browser, origin: string): Promise<readonly Crowd[]> {
  const url = `${origin.replace(/^http/, 'ws')}/ws`;
  const cookies = await Promise.all(Array.from({ length: SIZES.autobahn + SIZES.wampy }, () => newCookie(origin)));
  const own = (topic: string, index: number): MemberOptions => ({
    url,
    topic,
    procedure: PROCEDURE,
    cookie: cookies[index],
  });
  return [
    membersCrowd('autobahn-js in Node.js', 'com.example.autobahn', SIZES.autobahn, (topic, index) =>
      autobahnMember(autobahn, own(topic, index)),
    ),
    membersCrowd('wampy in Node.js', 'com.example.wampy', SIZES.wampy, (topic, index) => {
      const options = own(topic, SIZES.autobahn + index);
      return wampyMember(Wampy, options, socketWith(options.cookie));
    }),
    tabsCrowd(browser, origin, 'autobahn'),
    tabsCrowd(browser, origin, 'wampy'),
    pythonCrowd(url, SIZES.python),
  ];
}

/** Of a browser that was here before. */
async function newCookie(origin: string): Promise<string> {
  const answer = await fetch(origin);
  await answer.text();
  return String(answer.headers.get('set-cookie')).split(';')[0] ?? '';
}

function membersCrowd(
  name: string,
  topic: string,
  size: number,
  memberOf: (topic: string, index: number) => Member,
): Crowd {
  const members = Array.from({ length: size }, (_, index) => memberOf(topic, index));
  return {
    name,
    topic,
    size,
    open: () => Promise.resolve(members.forEach((member) => member.open())),
    reports: () => Promise.all(members.map(({ report }) => report)),
    close: () => Promise.resolve(members.forEach((member) => member.close())),
  };
}

/** wampy hands over headers in a place where `ws` does not look. */
function socketWith(cookie: string | undefined): object {
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, cookie === undefined ? {} : { headers: { cookie } });
    }
  };
}

/** `members.ts` for a page, and the crowd of one tab, of which the first one logs in for all. */
const PAGE_SCRIPT = `${ts
  .transpileModule(readFileSync(path.join(import.meta.dirname, 'members.ts'), 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
  })
  .outputText.replaceAll(/^export /gm, '')}
const members = [];
globalThis.crowd = {
  async open({ library, size, ...options }) {
    const url = 'ws://' + location.host + '/ws';
    for (let i = 0; i < size; i++) {
      const member = library === 'wampy' ? wampyMember(Wampy, { url, ...options }) : autobahnMember(autobahn, { url, ...options });
      members.push(member);
      member.open();
      if (i === 0) await member.joined;
    }
  },
  reports: () => Promise.all(members.map(({ report }) => report)),
};`;

/** Tabs of a browser; each has a profile, and so a cookie, of its own, which the page brought. */
function tabsCrowd(browser: Browser, origin: string, library: 'autobahn' | 'wampy'): Crowd {
  const topic = `com.example.${library}_page`;
  const pages: Page[] = [];
  const openTab = async (tab: number): Promise<void> => {
    const page = await browser.newPage();
    pages[tab] = page;
    await page.goto(origin);
    await page.addScriptTag({ url: '/wampy/wampy.min.js' });
    await page.addScriptTag({ content: PAGE_SCRIPT });
    const login = tab % 2 === 0 ? undefined : loginOf(`${library}-tab${tab}`);
    const options = { library, topic, procedure: PROCEDURE, size: IN_TAB, login };
    await page.evaluate(`crowd.open(${JSON.stringify(options)})`);
  };
  return {
    name: `${library === 'wampy' ? library : 'autobahn-js'} in ${TABS[library]} tabs of Chromium`,
    topic,
    size: TABS[library] * IN_TAB,
    open: () => Promise.all(Array.from({ length: TABS[library] }, (_, tab) => openTab(tab))),
    reports: async () => (await Promise.all(pages.map((page) => page.evaluate<Report[]>('crowd.reports()')))).flat(),
    close: () => Promise.all(pages.map((page) => page.close())),
  };
}

/** The interpreter of the Debian packages; another one in PATH would not find them. */
export const PYTHON = '/usr/bin/python3';

/** Components of autobahn-python, in a process of their own. */
function pythonCrowd(url: string, size: number): Crowd {
  const topic = 'com.example.python';
  const script = path.resolve(import.meta.dirname, '../clients/autobahn_python_crowd.py');
  const reports: Report[] = [];
  let close = (): Promise<unknown> => Promise.resolve();
  let complete: () => void = () => undefined;
  const completed = new Promise<void>((resolve) => (complete = resolve));
  const open = (): void => {
    const logins = Object.fromEntries(names('python', size).map((name) => [name, ticketOf(name)]));
    const child = spawn(PYTHON, [script, url, topic, PROCEDURE, JSON.stringify(logins)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (reports.push(JSON.parse(line) as Report) === size) complete();
    });
    const ended = once(child, 'close');
    close = () => {
      child.kill('SIGKILL');
      return ended;
    };
  };
  return {
    name: 'autobahn-python on asyncio',
    topic,
    size,
    open: () => Promise.resolve(open()),
    reports: async () => {
      await completed;
      return reports;
    },
    close: () => close(),
  };
}
