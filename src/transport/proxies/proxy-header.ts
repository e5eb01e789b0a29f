/**
 * The header of the PROXY protocol (https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt): what a proxy that passes on bare
 * TCP sends before all else, to say who is behind it. Version 1 is a line of text, version 2 is binary.
 *
 *     more octets are needed -> 'more'
 *     nobody is behind it, a check of the proxy itself, or somebody without an address of IP -> 'local': the peer is the client
 *     all is well -> 'client'
 *     anything else -> 'bad', as soon as it is certain
 *
 * Pure.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { fieldsIn } from './proxy-fields.js';
import type { ProxyFields } from './proxy-fields.js';
import { plainAddress } from './trusted-proxies.js';

/** What a header says; `length` is how many octets it has. */
export type ProxyHeader =
  | { readonly is: 'more' }
  | { readonly is: 'bad'; readonly reason: string }
  | { readonly is: 'local'; readonly length: number }
  | ({ readonly is: 'client'; readonly length: number; readonly address: string; readonly port: number } & ProxyFields);

/** Of version 1, with the end of its line. */
const MAX_LINE = 107;

/** Of version 2, behind the first 16 octets. */
const MAX_REST = 2048;

/** How many octets the longest header has that is taken. */
export const MAX_PROXY_HEADER = 16 + MAX_REST;

const MORE: ProxyHeader = { is: 'more' };
const LINE_START = Buffer.from('PROXY ');
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** @param octets all that has come, from the first one on. */
export function parseProxyHeader(octets: Buffer): ProxyHeader {
  if (beginsAs(octets, LINE_START)) return octets.length < LINE_START.length ? MORE : parseLine(octets);
  if (beginsAs(octets, SIGNATURE)) return octets.length < 16 ? MORE : parseBinary(octets);
  return bad('no header of the PROXY protocol');
}

function bad(reason: string): ProxyHeader {
  return { is: 'bad', reason };
}

/** Whether the octets are the beginning, or begin with it, as far as there are any. */
function beginsAs(octets: Buffer, beginning: Buffer): boolean {
  const length = Math.min(octets.length, beginning.length);
  return octets.compare(beginning, 0, length, 0, length) === 0;
}

function parseLine(octets: Buffer): ProxyHeader {
  const end = octets.subarray(0, MAX_LINE).indexOf('\n');
  if (end === -1) return octets.length < MAX_LINE ? MORE : bad('a line of more than 107 octets');
  const line = octets.toString('latin1', 0, end);
  if (!/^[ -~]*\r$/.test(line)) return bad('a line that is none');
  const length = end + 1;
  const [, family = '', from, to, fromPort, toPort, ...more] = line.slice(0, -1).split(' ');
  // Whatever stands behind that word is not read.
  if (family === 'UNKNOWN') return { is: 'local', length };
  const isAddress = ADDRESSES[family];
  if (isAddress === undefined) return bad('another family than TCP4, TCP6 and UNKNOWN');
  const address = [from, to].every((text = '') => isAddress(text)) ? plainAddress(from ?? '') : undefined;
  if (address === undefined) return bad(`an address that is none of ${family}`);
  const port = portIn(fromPort);
  if (port === undefined || portIn(toPort) === undefined || more.length > 0) return bad('a port that is none');
  return { is: 'client', length, address, port };
}

const ADDRESSES: Readonly<Record<string, (text: string) => boolean>> = {
  TCP4: isIPv4,
  TCP6: (text) => isIPv6(text) && !text.includes('%'),
};

/** @returns undefined for what is no port; a zero in front makes it none. */
function portIn(text = ''): number | undefined {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Infinity;
  return port <= 65_535 ? port : undefined;
}

/** How many octets two addresses and their ports have, for each family. */
const UNSPECIFIED = { octets: 0, end: 0 };
const FAMILIES = [UNSPECIFIED, { octets: 4, end: 28 }, { octets: 16, end: 52 }, { octets: 108, end: 232 }] as const;

/** @param octets at least 16, with the right beginning. */
function parseBinary(octets: Buffer): ProxyHeader {
  const [command = 0, kind = 0] = octets.subarray(12);
  if (command !== 0x20 && command !== 0x21)
    return bad('another version than 2, or another command than LOCAL and PROXY');
  const rest = octets.readUInt16BE(14);
  if (rest > MAX_REST) return bad('a header of more than 2,048 octets');
  const length = 16 + rest;
  // What a proxy says of its own connections is not read.
  if (command === 0x20) return octets.length < length ? MORE : { is: 'local', length };
  const [family, protocol] = [FAMILIES[kind >> 4], kind & 0x0f];
  if (family === undefined || protocol > 2) return bad('a family or protocol that is none');
  if (length < family.end) return bad('a header too short for its addresses');
  if (octets.length < length) return MORE;
  const fields = fieldsIn(octets.subarray(0, length), Math.max(family.end, 16));
  if (typeof fields === 'string') return bad(fields);
  const isPlaced = protocol !== 0 && (family.octets === 4 || family.octets === 16);
  if (!isPlaced) return { is: 'local', length };
  const address = addressAt(octets, family.octets);
  return { is: 'client', length, address, port: octets.readUInt16BE(16 + 2 * family.octets), ...fields };
}

function addressAt(octets: Buffer, count: 4 | 16): string {
  if (count === 4) return octets.subarray(16, 20).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => octets.readUInt16BE(16 + 2 * at).toString(16));
  return plainAddress(groups.join(':')) ?? '';
}
