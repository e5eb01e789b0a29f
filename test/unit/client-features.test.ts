/** The check that the scripts of the clients in `test/integration` and `test/clients` leave no feature out. */
import { describe, expect, it } from 'vitest';
import { CANNOT, FEATURES, scriptProblems } from '../support/client-features.js';

const expressible = FEATURES.filter((name) => CANNOT.wampy[name] === undefined);

describe('the list of features of a client script', () => {
  it('is complete with every feature that the client has words for', () => {
    expect(scriptProblems('wampy', expressible)).toEqual([]);
  });

  it('lacks a feature that is neither tested nor excused', () => {
    const script = expressible.filter((name) => name !== 'rerouting');
    expect(scriptProblems('wampy', script)).toEqual(['rerouting is neither tested nor said to be impossible']);
  });

  it('contradicts itself where an excused feature is tested', () => {
    expect(scriptProblems('wampy', [...expressible, 'retain'])).toEqual([
      'retain is tested, though it is said to be impossible',
    ]);
  });

  it('knows no other names, and none twice', () => {
    expect(scriptProblems('wampy', [...expressible, 'rpc', 'telepathy'])).toEqual([
      "no feature is called 'telepathy'",
      'rpc stands there twice',
    ]);
  });
});
