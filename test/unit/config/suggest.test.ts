import { describe, expect, it } from 'vitest';

import { nearest, slipsBetween } from '../../../src/config/suggest.js';
import { node, problemsOf } from './configs.js';

describe('slips between two words', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', '', 3],
    ['', 'abc', 3],
    ['max_agee', 'max_age', 1],
    ['max_ge', 'max_age', 1],
    ['max_ags', 'max_age', 1],
    ['amx_age', 'max_age', 1],
    ['prot', 'port', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('%j and %j: %i', (a, b, slips) => {
    expect(slipsBetween(a, b)).toBe(slips);
    expect(slipsBetween(b, a)).toBe(slips);
  });
});

describe('the nearest word', () => {
  const words = ['name', 'length', 'max_age', 'store', 'allow-by-default'];

  it.each([
    ['max_agee', 'max_age'],
    ['lenght', 'length'],
    ['nmae', 'name'],
    ['Name', 'name'],
    ['allow_by_default', 'allow-by-default'],
    ['max-age', 'max_age'],
  ])('to %j is %j', (word, expected) => {
    expect(nearest(word, words)).toBe(expected);
  });

  it.each(['', 'x', 'comment', 'ttl', 'n'.repeat(100_000)])('to %.10j is none', (word) => {
    expect(nearest(word, words)).toBeUndefined();
  });

  it('is the first of equals', () => {
    expect(nearest('ab', ['ax', 'ay'])).toBe('ax');
  });
});

describe('a word in the wrong place', () => {
  const endpoint = { type: 'tcp', port: 8081 };
  const worker = (type: string) => ({ ...node(), workers: [...node().workers, { type }] });
  const transport = (type: string) => node({ worker: { transports: [{ type, endpoint }] } });
  const service = (type: string) => node({ web: { paths: { '/': { type } } } });
  const component = (type: string) => node({ worker: { components: [{ type }] } });

  it.each([
    [worker('web'), 'found "web", which belongs to workers[].transports[] '],
    [worker('class'), 'found "class", which belongs to workers[].components[] '],
    [worker('static'), 'found "static", which belongs to workers[].transports[].paths '],
    [transport('class'), 'found "class", which belongs to workers[].components[] '],
    [transport('longpoll'), 'found "longpoll", which belongs to workers[].transports[].paths '],
    [transport('guest'), 'found "guest", which belongs to workers[] '],
    [service('rawsocket'), 'found "rawsocket", which belongs to workers[].transports[] '],
    [service('module'), 'found "module", which belongs to workers[].components[] '],
    [component('router'), 'found "router", which belongs to workers[] '],
    [component('websocket'), 'found "websocket", which belongs to workers[].transports[] '],
  ])('is told its place: %#', (config, text) => {
    const [problem = '', ...others] = problemsOf(config);
    expect(problem).toContain(`/type: ${text}`);
    expect(problem).not.toContain('did you mean');
    expect(others).toEqual([]);
  });

  it.each([
    [worker('gest'), 'found "gest", did you mean "guest"?'],
    [transport('websoket'), 'found "websoket", did you mean "websocket"?'],
    [service('statik'), 'found "statik", did you mean "static"?'],
    [component('modul'), 'found "modul", did you mean "module"?'],
  ])('but a slip is told the word: %#', (config, text) => {
    expect(problemsOf(config).join()).toContain(text);
  });
});
