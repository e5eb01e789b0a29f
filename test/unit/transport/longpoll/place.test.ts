import { describe, expect, it } from 'vitest';
import { placeReaderOf } from '../../../../src/transport/longpoll/place.js';
import { CODECS } from '../../../support/codec.js';

const IDS = [1, 23, 24, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, 2 ** 53];

describe.each(['json', 'msgpack', 'cbor'] as const)('in %s', (type) => {
  const read = placeReaderOf(type);
  const encode = (message: readonly unknown[]): Buffer => CODECS[type].encode(message);

  it.each([16, 32, 34, 48, 49, 64, 66])('a request of type %d has its id', (code) => {
    for (const id of IDS)
      expect(read(encode([code, id, {}, 'com.example.uri']))).toEqual({ type: code, requestId: id });
  });

  it.each([
    [[1, 'realm1', {}]],
    [[6, {}, 'wamp.close.normal']],
    [[70, 7, {}]],
    [[8, 68, 7, {}, 'com.example.error']],
    [[16, 'x', {}]],
    [[16]],
  ])('%j has none', (message) => {
    expect(read(encode(message))).toEqual({ type: message[0], requestId: undefined });
  });

  it('every beginning of a message is harmless', () => {
    const bytes = encode([16, 70_000, {}, 'com.example.uri']);
    for (let end = 0; end < bytes.length; end++) expect(() => read(bytes.subarray(0, end))).not.toThrow();
  });

  it.each(['', 'x', '{}', '"a"', '[]'])('%j is no place', (text) => {
    expect(read(Buffer.from(text))?.requestId).toBeUndefined();
  });
});

it('JSON may have spaces', () => {
  expect(placeReaderOf('json')(Buffer.from(' [ 48 ,\n12 , {} ]'))).toEqual({ type: 48, requestId: 12 });
});

it('lists of any length, and of none, are read', () => {
  expect(placeReaderOf('cbor')(Buffer.from([0x9f, 0x10, 0x18, 0x64, 0xff]))).toEqual({ type: 16, requestId: 100 });
  expect(placeReaderOf('msgpack')(Buffer.from([0xdc, 0, 4, 0x10, 0xd1, 1, 0]))).toEqual({ type: 16, requestId: 256 });
});

it('batches are in order by themselves', () => {
  for (const type of ['json.batched', 'ubjson', 'ubjson.batched'])
    expect(placeReaderOf(type)(Buffer.from('[16,2]'))).toBeUndefined();
});
