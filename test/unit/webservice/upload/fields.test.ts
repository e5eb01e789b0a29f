/** The fields of an upload: which of them fit together, and with what they are refused. */
import { describe, expect, it } from 'vitest';

import { checkFields, uploadKey } from '../../../../src/webservice/upload/fields.js';
import type { UploadFields } from '../../../../src/webservice/upload/fields.js';
import { RefusedUpload } from '../../../../src/webservice/upload/refused-upload.js';
import { isAllowedTopic } from '../../../../src/webservice/upload/topics.js';
import { pieceFields, uploadConfig } from '../../../support/upload.js';

const CONTENT = Buffer.alloc(2500);

type Given = Readonly<Record<string, string | undefined>>;
type Options = Parameters<typeof uploadConfig>[1];

function check(fields: Given = {}, config: Options = {}): UploadFields {
  const given = pieceFields({ content: CONTENT, chunkSize: 1000, fields });
  return checkFields(new Map(given), uploadConfig('/x', config));
}

function refusal(fields: Given, config: Options = {}): unknown {
  try {
    return check(fields, config);
  } catch (error) {
    if (!(error instanceof RefusedUpload)) throw error;
    return [error.refusal.status, error.refusal.text];
  }
}

describe('the fields of a piece', () => {
  it('are read as resumable.js names them', () => {
    expect(check({ on_progress: 'com.example.a', session: '12', chunk_extra: '{"a":1}', finish_extra: '[1]' })).toEqual(
      {
        identifier: '2500-abin',
        name: 'a.bin',
        chunk: 1,
        chunks: 2,
        chunkSize: 1000,
        length: 1000,
        total: 2500,
        topic: 'com.example.a',
        session: 12,
        chunkExtra: { a: 1 },
        finishExtra: [1],
      },
    );
  });

  it('are read as the config names them', () => {
    const { form_fields } = uploadConfig('/x');
    const config = { form_fields: { ...form_fields, file_name: 'name', total_size: 'size', identifier: 'id' } };
    expect(check({ name: 'b.txt', size: '2500', id: 'mine' }, config)).toMatchObject({
      name: 'b.txt',
      identifier: 'mine',
    });
    expect(refusal({ name: 'b.txt' }, config)).toEqual([400, 'the field "size" is missing']);
    // Without an identifier it is the name.
    expect(check({ name: 'b.txt', size: '2500' }, config).identifier).toBe('b.txt');
  });

  it.each([
    ['1', '2', '1000', 1000],
    ['2', '2', '1000', 1500],
    ['2', '3', '1000', 1000],
    ['3', '3', '1000', 500],
    ['1', '1', '2500', 2500],
    ['1', '1', '4000', 2500],
    ['1', '1', '1300', 2500],
  ])('piece %s of %s, in sizes of %s, has %i bytes', (chunk, chunks, size, length) => {
    const fields = { resumableChunkNumber: chunk, resumableTotalChunks: chunks, resumableChunkSize: size };
    expect(check(fields).length).toBe(length);
  });

  it.each([
    [{ resumableChunkNumber: '3' }, 'there is no piece 3 of 2'],
    [{ resumableChunkNumber: '0' }, 'the field "resumableChunkNumber" is no number of use'],
    [{ resumableChunkNumber: '-1' }, 'the field "resumableChunkNumber" is no number of use'],
    [{ resumableChunkNumber: '1.5' }, 'the field "resumableChunkNumber" is no number of use'],
    [{ resumableChunkNumber: '1e3' }, 'the field "resumableChunkNumber" is no number of use'],
    [{ resumableChunkNumber: '0x1' }, 'the field "resumableChunkNumber" is no number of use'],
    [{ resumableChunkNumber: '9'.repeat(17) }, 'the field "resumableChunkNumber" is no number of use'],
    [{ resumableChunkNumber: undefined }, 'the field "resumableChunkNumber" is missing'],
    [{ resumableTotalSize: '0' }, 'the field "resumableTotalSize" is no number of use'],
    [{ resumableTotalChunks: '4' }, 'a file of 2500 bytes does not come in 4 pieces of 1000'],
    [{ resumableTotalChunks: '1' }, 'a file of 2500 bytes does not come in 1 pieces of 1000'],
    [{ resumableFilename: '..' }, 'the file has no name'],
    [{ resumableFilename: undefined }, 'the field "resumableFilename" is missing'],
    [{ resumableIdentifier: 'x'.repeat(2000) }, 'the field "resumableIdentifier" is too long'],
    [{ on_progress: 'a b' }, 'the field "on_progress" is no URI of a topic'],
    [{ session: 'me' }, 'the field "session" is no number of use'],
    [{ chunk_extra: '{' }, 'the field "chunk_extra" is no JSON, or nested too deeply'],
    [{ finish_extra: '['.repeat(40) + ']'.repeat(40) }, 'the field "finish_extra" is no JSON, or nested too deeply'],
  ] as [Given, string][])('%j is refused', (fields, text) => {
    expect(refusal(fields)).toEqual([400, text]);
  });

  it('are refused with statuses by which resumable.js gives up', () => {
    expect(refusal({}, { options: { max_file_size: 2499 } })).toEqual([400, 'the file is larger than 2499 bytes']);
    expect(refusal({}, { options: { file_types: ['.pdf'] } })).toEqual([
      415,
      'only files of these types are taken: .pdf',
    ]);
    const topics = ['com.example.progress.*'];
    expect(refusal({ on_progress: 'com.example.other' }, { options: { topics } })).toEqual([
      400,
      'progress is not told on that topic',
    ]);
    expect(check({ on_progress: 'com.example.progress.a' }, { options: { topics } }).topic).toBe(
      'com.example.progress.a',
    );
  });

  it('do not make a piece of many tiny ones', () => {
    const fields = { resumableTotalSize: '200000', resumableChunkSize: '1', resumableTotalChunks: '200000' };
    expect(refusal(fields)).toEqual([400, 'a file of 200000 bytes does not come in 200000 pieces of 1']);
  });

  it('count as nothing where a page sends them empty', () => {
    const fields = { on_progress: '', session: '', chunk_extra: '', finish_extra: '' };
    expect(check(fields)).toMatchObject({ topic: undefined, session: undefined, chunkExtra: undefined });
  });
});

describe('the key of an upload', () => {
  it('is the same for all pieces of a file, and for no other', () => {
    const first = uploadKey('a', check());
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(uploadKey('a', check({ resumableChunkNumber: '2' }))).toBe(first);
    const others = [
      uploadKey('b', check()),
      uploadKey('a', check({ resumableFilename: 'b.bin' })),
      uploadKey('a', check({ resumableIdentifier: 'x' })),
      uploadKey('a', check({ resumableTotalSize: '2501' })),
      uploadKey('a', check({ resumableTotalChunks: '3' })),
      uploadKey('a', check({ resumableChunkSize: '999' })),
    ];
    expect(new Set([first, ...others]).size).toBe(others.length + 1);
  });
});

describe('topics', () => {
  it.each([
    ['com.example.a', ['com.example.a'], true],
    ['com.example.ab', ['com.example.a'], false],
    ['com.example.ab', ['com.example.a*'], true],
    ['com.example.a.b', ['com.example.*'], true],
    ['org.example', ['com.*', 'org.example'], true],
    ['com.a.progress', ['com.*.progress'], true],
    ['com.a.b.progress', ['com.*.progress'], false],
    ['com.a.progress', ['com..progress'], true],
    ['com.a', [], false],
    ['anything', ['*'], true],
  ])('%s in %j: %s', (topic, patterns, expected) => {
    expect(isAllowedTopic(topic, patterns)).toBe(expected);
  });
});
