// Joins the two halves of the demo: the room (WAMP) and the view (the page), and remembers across page loads how often
// this person has been here. To play: open the browser's console, `demo.session` is the live autobahn session.

/* global autobahn */
import { describe, isMember } from './identity.js';
import { Room } from './room.js';
import * as view from './view.js';

const DIARY = 'crossbar-ts demo diary';
const CHAT = 'crossbar-ts demo chat';
const THANKS = ['Thank you, right back at you!', 'Oh, hello there!', 'You made my day!', 'Nice to see you too!'];

let me;
let diary;
let unread = 0;
const chat = new Map();
const wavesOnScreen = new Set();
// The other tabs of this browser. They share the cookie, so a login of one is the login of all; a logout they learn
// from the node.
const otherTabs = new BroadcastChannel('crossbar-ts demo');

const room = new Room({
  autobahn,
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`,
  realm: 'realm1',
  events: { onState: view.showState, onJoined, onPeople, onMessage, onNotice, onWave },
});

function onJoined({ id, change, before }) {
  me = id;
  const { name } = describe(id);
  if (change === 'same') {
    done('reconnect');
    view.showNote(`Reconnected: you are still ${name}.`);
    return;
  }
  view.showMe(id, openDiary(id));
  for (const step of diary.done) view.tick(step);
  showUnread();
  if (change === 'first') room.restore(Object.values(recall(sessionStorage, CHAT) ?? {}));
  else view.showNote(whatChanged(before, id));
}

function whatChanged(before, now) {
  const { name } = describe(now);
  if (isMember(now)) return `You are logged in: the node calls you ${name}, in all tabs of this browser.`;
  if (isMember(before)) return `Logged out, in all tabs: the node has forgotten the cookie. You are ${name} now.`;
  return `Reconnected, but the node did not know your cookie any more: you are ${name} now.`;
}

/** Counts this visit. @returns what to tell the visitor about it. */
function openDiary(id) {
  const last = recall(localStorage, DIARY);
  const isSame = last?.id === id;
  const keepsSteps = isSame || isMember(id) || isMember(last?.id);
  diary = { id, visits: isSame ? last.visits + 1 : 1, done: keepsSteps ? (last?.done ?? []) : [] };
  keep(localStorage, DIARY, diary);
  const isReload = performance.getEntriesByType('navigation')[0]?.type === 'reload';
  if (isMember(id)) {
    if (isSame && isReload) done('login');
    return `Logged in as ${id.slice(1)}, by your cookie.`;
  }
  if (!navigator.cookieEnabled) return 'Cookies are off here: next time you are somebody else.';
  if (!last) return 'First visit: your browser just got its cookie.';
  if (isMember(last.id)) return 'Logged out: your browser has a new cookie.';
  if (!isSame) return 'Somebody new: the cookie of last time is gone.';
  if (isReload) done('reload');
  return `Visit ${diary.visits}, recognised by your cookie.`;
}

function done(step) {
  view.tick(step);
  if (!diary || diary.done.includes(step)) return;
  diary.done.push(step);
  keep(localStorage, DIARY, diary);
}

function onPeople(others, myTabs) {
  view.showMyTabs(myTabs);
  view.showPeople(others, wave);
  if (myTabs > 1) done('tab');
  if (others.length > 0) done('friend');
}

function onMessage(message) {
  const isMine = message.person === me;
  if (!chat.has(message.id) && document.hidden && !isMine) unread++;
  chat.set(message.id, message);
  view.showMessage(message, isMine);
  showUnread();
}

function onNotice(notice) {
  view.showNotice(notice, () => pin(''));
}

/** Rejects with an Error for the form to show. */
async function logIn(name, password) {
  await room.logIn(name, password);
  otherTabs.postMessage('login');
}

function logOut() {
  try {
    room.logOut();
  } catch (error) {
    view.toast({ kind: 'error', text: `You are still logged in: ${error.message}.` });
  }
}

async function pin(text) {
  try {
    await room.pin(text);
  } catch (error) {
    view.toast({ kind: 'error', text: `The node did not take it: ${error.message}` });
  }
}

function showUnread() {
  const title = me ? `${describe(me).name} · crossbar-ts demo` : 'crossbar-ts demo';
  document.title = unread > 0 ? `(${unread}) ${title}` : title;
}

/** Somebody called our wave procedure: the returned text is the answer, an Error is a refusal. */
function onWave(from) {
  if (wavesOnScreen.has(from)) throw new Error('they are still looking at your last one.');
  const { name } = describe(from);
  wavesOnScreen.add(from);
  view.wiggle(from);
  view.showNote(`${name} waved at you.`);
  view.toast({
    kind: 'greeting',
    person: from,
    text: `${name} waves at you!`,
    action: { label: 'Wave back', run: () => wave(from) },
    onClosed: () => wavesOnScreen.delete(from),
  });
  return THANKS[Math.floor(Math.random() * THANKS.length)];
}

async function wave(person) {
  const { name } = describe(person);
  try {
    const thanks = await room.wave(person);
    view.toast({ kind: 'thanks', person, text: `${name}: “${thanks}”` });
  } catch (error) {
    view.toast({ kind: 'error', person, text: `${name} did not get your wave: ${error.message}` });
  }
}

/** @returns what this browser remembers under a key; nothing when it may not remember or holds nonsense. */
function recall(storage, key) {
  try {
    return JSON.parse(storage.getItem(key)) ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch (error) {
    console.warn('this browser does not want to remember anything:', error.message);
  }
}

addEventListener('pagehide', () => {
  keep(sessionStorage, CHAT, [...chat.values()].filter(({ sent }) => sent).slice(-100));
  room.leave();
});
addEventListener('pageshow', ({ persisted }) => persisted && room.open());
addEventListener('online', () => room.open());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  unread = 0;
  showUnread();
});
otherTabs.addEventListener('message', ({ data }) => data === 'login' && room.rejoin());
view.onActions({ say: (text) => room.say(text), pin, logIn, logOut, retry: () => room.open() });
globalThis.demo = room;
room.open();
