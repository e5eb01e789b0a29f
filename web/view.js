// The page: puts what the room knows on the screen. Text from other people only ever goes through `textContent`.

import { avatar, avatarUrl } from './avatar.js';
import { describe, isMember } from './identity.js';

const TOAST_MS = 6_000;
const GROUP_MS = 120_000;

const byId = (id) => document.getElementById(id);

/** @returns a new element with a class and children; strings become text, never markup. */
function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

const STATES = {
  connecting: 'Connecting…',
  open: 'Connected',
  waiting: 'Reconnecting…',
  refused: 'Refused',
};

/** Shows how the connection is; `why` replaces the usual text. */
export function showState(state, why) {
  byId('link').dataset.state = state;
  byId('link-text').textContent = why ?? STATES[state];
  byId('retry').hidden = state === 'open' || state === 'connecting';
}

/** Shows who this person is, and gives the whole page that person's colour. */
export function showMe(id, visitText) {
  const { name, hue } = describe(id);
  document.documentElement.style.setProperty('--hue', String(hue));
  document.documentElement.dataset.known = '';
  document.title = `${name} · crossbar-ts demo`;
  byId('icon').href = avatarUrl(id);
  byId('me-picture').replaceChildren(avatar(id));
  byId('me-name').textContent = name;
  byId('me-visit').textContent = visitText;
  byId('chat-text').disabled = false;
  byId('chat-send').disabled = false;
  showRights(isMember(id));
}

/** A member may log out and pin; a visitor may log in. */
function showRights(asMember) {
  const hadFocus = [byId('log-in'), byId('log-out')].includes(document.activeElement);
  document.documentElement.classList.toggle('member', asMember);
  byId('me-member').hidden = !asMember;
  byId('log-in').hidden = asMember;
  byId('log-in').disabled = false;
  byId('log-out').hidden = !asMember;
  byId('chat-pin').hidden = !asMember;
  if (hadFocus) byId(asMember ? 'log-out' : 'log-in').focus();
}

export function showMyTabs(tabs) {
  byId('me-tabs').textContent = tabs === 1 ? '1 tab' : `${tabs} tabs`;
}

/** Ticks one of the things to try. */
export function tick(step) {
  byId(`step-${step}`).classList.add('done');
}

/** Shows the others. Rows are kept, so that focus and running animations survive an update. */
export function showPeople(people, onWave) {
  const list = byId('people');
  const rows = new Map([...list.children].map((row) => [row.dataset.person, row]));
  for (const { id, tabs } of people) {
    const row = rows.get(id) ?? list.appendChild(personRow(id, onWave));
    row.querySelector('.person-tabs').textContent = tabs === 1 ? '1 tab' : `${tabs} tabs`;
    rows.delete(id);
  }
  for (const row of rows.values()) row.remove();
  byId('people-count').textContent = String(people.length);
  byId('people-empty').hidden = people.length > 0;
}

function personRow(id, onWave) {
  const { name, hue } = describe(id);
  const button = make('button', 'wave', hand(), make('span', '', 'Wave'));
  button.type = 'button';
  button.setAttribute('aria-label', `Wave to ${name}`);
  button.addEventListener('click', async () => {
    button.disabled = true;
    await onWave(id);
    button.disabled = false;
  });
  const text = make('div', 'person-text', make('p', 'person-name', name, ...badge(id)), make('p', 'person-tabs'));
  const row = make('li', 'person', avatar(id), text, button);
  row.dataset.person = id;
  row.style.setProperty('--hue', String(hue));
  return row;
}

/** @returns the sign of a member: others cannot have it. */
function badge(id, vouched = true) {
  if (!isMember(id)) return [];
  const sign = make('span', vouched ? 'badge' : 'badge retold', vouched ? '✓' : '?');
  sign.title = vouched ? 'Logged in: the node says who this is' : 'Retold by somebody: not confirmed by the node';
  return [sign, make('span', 'hidden', vouched ? ' (logged in)' : ' (not confirmed)')];
}

/** Makes the row of a person wiggle, as somebody who waves does. */
export function wiggle(id) {
  const row = [...byId('people').children].find((child) => child.dataset.person === id);
  row?.classList.remove('waving');
  void row?.offsetWidth; // lets the animation start again
  row?.classList.add('waving');
}

function hand() {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('hand');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute(
    'd',
    'M8 13V6.3a1.4 1.4 0 0 1 2.8 0V11m0-.5V4.4a1.4 1.4 0 0 1 2.8 0V11m0-.5V5.6a1.4 1.4 0 0 1 2.8 0V12m0-1.5V8.6a1.4 1.4 0 0 1 2.8 0v6.2c0 3.7-2.5 6.2-6 6.2-2.7 0-4.3-1-5.7-3.2l-3.3-5c-.5-.8-.3-1.7.4-2.1.7-.5 1.6-.3 2.2.5L8 13.5',
  );
  svg.append(path);
  return svg;
}

/** Shows a chat message, or its new state, at its place in time. */
export function showMessage(message, isMine) {
  const log = byId('chat-log');
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  const known = [...log.children].find((row) => row.dataset.id === message.id);
  const row = known ?? place(log, messageRow(message, isMine));
  row.classList.toggle('unsent', !message.sent);
  row.querySelector('.message-state').textContent = message.problem
    ? `not sent: ${message.problem}`
    : message.sent
      ? ''
      : 'on its way…';
  group(row);
  group(row.nextElementSibling);
  if (atEnd || isMine) log.scrollTop = log.scrollHeight;
}

function messageRow({ id, person, text, time, vouched }, isMine) {
  const { name, hue } = describe(person);
  const clock = make('time', '', new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  clock.dateTime = new Date(time).toISOString();
  const head = make(
    'p',
    'message-head',
    make('b', '', ...(isMine ? ['You'] : [name, ...badge(person, vouched)])),
    ' ',
    clock,
  );
  const body = make('p', 'message-text', text);
  const row = make(
    'li',
    isMine ? 'message mine' : 'message',
    avatar(person),
    make('div', 'message-body', head, body, make('p', 'message-state')),
  );
  Object.assign(row.dataset, { id, person, time: String(time) });
  row.style.setProperty('--hue', String(hue));
  return row;
}

/** Shows what a member pinned above the chat; nothing for undefined. Members may take it down. */
export function showNotice(notice, onTakeDown) {
  if (notice === undefined) return byId('notice').replaceChildren();
  const { name } = describe(notice.person);
  const close = make('button', 'take-down', '×');
  close.type = 'button';
  close.setAttribute('aria-label', 'Take the notice down');
  close.addEventListener('click', onTakeDown);
  const by = make('p', 'notice-by', 'Pinned by ', make('b', '', name), ...badge(notice.person));
  byId('notice').replaceChildren(make('div', '', by, make('p', 'notice-text', notice.text)), close);
}

/** A line about something that happened, between the messages. */
export function showNote(text) {
  const log = byId('chat-log');
  const row = make('li', 'happening', text);
  row.dataset.time = String(Date.now());
  place(log, row);
  log.scrollTop = log.scrollHeight;
}

function place(log, row) {
  const later = [...log.children].find((other) => Number(other.dataset.time) > Number(row.dataset.time));
  log.insertBefore(row, later ?? null);
  return row;
}

/** Messages of one person in a row share one face and one name. */
function group(row) {
  const above = row?.previousElementSibling;
  if (!row?.dataset.person) return;
  const near = Number(row.dataset.time) - Number(above?.dataset.time) < GROUP_MS;
  row.classList.toggle('joined', above?.dataset.person === row.dataset.person && near);
}

/** A small card that goes away by itself, with an optional action. */
export function toast({ person, text, action, kind = 'info', onClosed = () => {} }) {
  const card = make('div', `toast ${kind}`);
  if (person) {
    card.style.setProperty('--hue', String(describe(person).hue));
    card.append(make('span', 'toast-picture', avatar(person), ...(kind === 'greeting' ? [hand()] : [])));
  }
  card.append(make('p', '', text));
  const close = () => {
    if (!card.isConnected) return;
    card.remove();
    onClosed();
  };
  if (action) {
    const button = make('button', '', action.label);
    button.type = 'button';
    button.addEventListener('click', () => {
      close();
      action.run();
    });
    card.append(button);
  }
  byId('toasts').append(card);
  closeLater(card, close);
}

/** Waits while somebody points at the card or has the focus in it. */
function closeLater(card, close) {
  let timer = setTimeout(close, TOAST_MS);
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = setTimeout(close, TOAST_MS / 2);
  };
  card.addEventListener('pointerenter', hold);
  card.addEventListener('focusin', hold);
  card.addEventListener('pointerleave', release);
  card.addEventListener('focusout', release);
}

/** What people can do with the chat form, the login and the connection. */
export function onActions({ say, pin, logIn, logOut, retry }) {
  const send = (take) => {
    const input = byId('chat-text');
    const text = input.value.trim();
    if (text) take(text);
    input.value = '';
    input.focus();
  };
  byId('chat-form').addEventListener('submit', (event) => {
    event.preventDefault();
    send(say);
  });
  byId('chat-pin').addEventListener('click', () => send(pin));
  byId('retry').addEventListener('click', retry);
  byId('log-out').addEventListener('click', logOut);
  onLogin(logIn);
}

/** The login dialog. It forgets what was typed when it is closed, and the password after each attempt. */
function onLogin(logIn) {
  const [dialog, form, password] = [byId('login'), byId('login-form'), byId('login-password')];
  byId('log-in').addEventListener('click', () => dialog.showModal());
  byId('login-cancel').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    form.reset();
    showLoginProblem('');
  });
  for (const example of dialog.querySelectorAll('[data-name]')) {
    example.addEventListener('click', () => {
      byId('login-name').value = example.dataset.name;
      password.value = example.dataset.password;
      byId('login-submit').focus();
    });
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (byId('login-submit').disabled) return;
    const [name, secret] = [byId('login-name').value.trim(), password.value];
    showChecking(true);
    showLoginProblem('');
    try {
      await logIn(name, secret);
      dialog.close();
    } catch (error) {
      password.value = '';
      if (dialog.open) showLoginProblem(error.message);
    } finally {
      showChecking(false);
    }
  });
}

function showChecking(isChecking) {
  byId('login-submit').disabled = isChecking;
  byId('login-submit').textContent = isChecking ? 'Checking…' : 'Log in';
}

function showLoginProblem(text) {
  const password = byId('login-password');
  byId('login-problem').textContent = text;
  if (!text) return password.removeAttribute('aria-invalid');
  password.setAttribute('aria-invalid', 'true');
  password.focus();
}
