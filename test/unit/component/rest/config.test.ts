/** The components that speak HTTP in a config: under their words, and under the class names of Crossbar.io. */
import { describe, expect, it } from 'vitest';

import { checkObject } from '../../../../src/config/check.js';
import { ConfigError } from '../../../../src/config/error.js';

const CALLEE = { baseurl: 'https://api.example.com/', procedure: 'com.example.http' };
const SUBSCRIBER = { subscriptions: [{ topic: 'com.example.a', url: 'https://api.example.com/' }] };
const TRANSPORT = { type: 'websocket', url: 'ws://127.0.0.1:8080/ws' };

function check(component: object, isContained = false) {
  const realms = [{ name: 'realm1', roles: [{ name: 'anonymous', 'allow-by-default': true }] }];
  const transports = [{ type: 'rawsocket', endpoint: { type: 'unix', path: 'raw.sock' } }];
  const made = { realm: 'realm1', ...component };
  const router = { type: 'router', realms, transports, components: isContained ? [] : [made] };
  const container = { type: 'container', components: [{ transport: TRANSPORT, ...made }] };
  const workers = isContained ? [router, container] : [router];
  const { config, notes, warnings } = checkObject({ version: 2, workers }, { cbdir: '/srv', env: {} });
  const parts = config.workers.flatMap((worker): unknown[] => ('components' in worker ? [...worker.components] : []));
  return { component: parts[0], notes: [...notes, ...warnings].map(({ pointer, text }) => `${pointer}: ${text}`) };
}

function problemsOf(component: object): string[] {
  try {
    check(component);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ pointer, text }) => `${pointer}: ${text}`);
  }
}

const CLASSES = [
  ['crossbar.bridge.rest.RESTCallee', 'callee', CALLEE],
  ['crossbar.adapter.rest.RESTCallee', 'callee', CALLEE],
  ['crossbar.bridge.rest.callee.RESTCallee', 'callee', CALLEE],
  ['crossbar.bridge.rest.MessageForwarder', 'subscriber', SUBSCRIBER],
  ['crossbar.adapter.rest.MessageForwarder', 'subscriber', SUBSCRIBER],
  ['crossbar.bridge.rest.subscriber.MessageForwarder', 'subscriber', SUBSCRIBER],
] as const;

describe.each([false, true])('a component of the node (in a container: %s)', (isContained) => {
  it.each(CLASSES)('is what the class %s stands for', (classname, type, extra) => {
    const native = check({ type: 'class', classname, extra }, isContained);
    expect(native).toEqual(check({ type, extra }, isContained));
    expect(native.component).toMatchObject({ type, id: 'component001' });
    expect(native.component).not.toHaveProperty('classname');
    expect(native.notes).toEqual([]);
  });

  it('has its defaults', () => {
    expect(check({ type: 'callee', extra: CALLEE }, isContained).component).toMatchObject({
      extra: { ...CALLEE, allow_absolute: false },
    });
    expect(check({ type: 'subscriber', extra: SUBSCRIBER }, isContained).component).toMatchObject({
      extra: { subscriptions: [{ match: 'exact' }], method: 'POST' },
    });
  });

  it('takes what Crossbar.io takes and nobody reads, with a note', () => {
    const extra = { ...SUBSCRIBER, debug: true, colour: 'red' };
    const { notes } = check({ type: 'class', classname: CLASSES[3][0], extra, references: [] }, isContained);
    expect(notes.map((note) => note.replace(/^\S+components\/0\//, '').replace(/ \(.*/, ''))).toEqual([
      'extra/debug: "debug" has no effect: "--loglevel" of the command sets how much the whole node logs',
      'extra/colour: unknown key "colour" has no effect',
      'references: "references" has no effect: Crossbar.io does not use it either',
    ]);
  });
});

it('any other class is one of Python', () => {
  expect(check({ type: 'class', classname: 'crossbar.bridge.rest.Other' }).component).toMatchObject({ type: 'class' });
});

describe('what is wrong is said where it stands', () => {
  const at = '/workers/0/components/0/extra';
  const callee = (extra: object) => problemsOf({ type: 'class', classname: CLASSES[0][0], extra });
  const subscription = (more: object) =>
    problemsOf({ type: 'subscriber', extra: { subscriptions: [{ ...SUBSCRIBER.subscriptions[0], ...more }] } });

  it.each([
    [{ procedure: 'a.b' }, `${at}: missing key "baseurl"`],
    [{ baseurl: 'https://a/' }, `${at}: missing key "procedure"`],
    [
      { ...CALLEE, baseurl: 'api.example.com' },
      `${at}/baseurl: found "api.example.com" (allowed: a URL that begins with`,
    ],
    [{ ...CALLEE, baseurl: 'https://[' }, `${at}/baseurl: found "https://[", which is no URL`],
    [{ ...CALLEE, baseurl: 'https://a:hunter2@b' }, `${at}/baseurl: found a URL with a user or a password`],
    [{ ...CALLEE, procedure: 'a..b' }, `${at}/procedure: found an invalid procedure URI "a..b"`],
    [{ ...CALLEE, allow_absolute: 1 }, `${at}/allow_absolute: found 1`],
    [{ ...CALLEE, base_url: 'https://a/' }, `${at}/base_url: unknown key "base_url", did you mean "baseurl"?`],
  ])('of a callee: %j', (extra, text) => {
    const problems = callee(extra);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(text);
    expect(problems[0]).not.toContain('hunter2');
  });

  it.each([
    [{ topic: 'a..b' }, 'subscriptions/0/topic: found an invalid topic URI "a..b"'],
    [{ topic: '' }, 'subscriptions/0/topic: found an invalid topic URI ""'],
    [{ match: 'regex' }, 'subscriptions/0/match: found "regex"'],
    [{ url: 'ftp://a/' }, 'subscriptions/0/url: found "ftp://a/"'],
  ])('of a subscription: %j', (more, text) => {
    const problems = subscription(more);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${at}/${text}`);
  });

  it.each([
    { topic: 'a..b', match: 'wildcard' },
    { topic: 'a.', match: 'prefix' },
    { topic: '', match: 'prefix' },
  ])('and patterns are none: %j', (more) => expect(subscription(more)).toEqual([]));

  it('of what a subscriber asks', () => {
    const problems = problemsOf({
      type: 'subscriber',
      extra: { subscriptions: [], method: 'GET', expectedcode: 20 },
    });
    expect(problems.map((text) => text.split(':')[0])).toEqual(
      ['subscriptions', 'method', 'expectedcode'].map((key) => `${at}/${key}`),
    );
    expect(problemsOf({ type: 'callee' })[0]).toContain('missing key "extra"');
  });
});
