/** What is generated from the schemas is of use to other validators. */
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';

import { publishedSchema } from '../../../src/config/reference.js';

describe('the published schema', () => {
  it('is plain draft-07, of which a strict validator knows every keyword, and refuses what the checker refuses', () => {
    const accepts = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false }).compile(publishedSchema());
    const socket = { type: 'websocket', endpoint: { type: 'tcp', port: 8080 } };
    const node = (transport: object) => ({ version: 2, workers: [{ type: 'router', transports: [transport] }] });
    expect(accepts(node(socket))).toBe(true);
    expect(accepts(node({ ...socket, cookie: { max_agee: 1 } }))).toBe(false);
    expect(accepts(node({ ...socket, endpoint: { type: 'tcp', port: 65_536 } }))).toBe(false);
    expect(accepts(node({ ...socket, type: 'rawsocket' }))).toBe(true);
    expect(accepts(node({ ...socket, type: 'mqtt' }))).toBe(false);
    expect(accepts(node({ ...socket, type: 'mqtt', options: { realm: 'realm1' } }))).toBe(true);
    expect(accepts({ version: 1 })).toBe(false);
  });
});
