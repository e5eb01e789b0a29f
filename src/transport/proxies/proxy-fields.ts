/** The fields behind the addresses in version 2 of the PROXY protocol (there: Type-Length-Value vectors). Pure. */

/** What is taken of them. */
export interface ProxyFields {
  /** True where the client came to the proxy by TLS; undefined where nothing is said, or that it did not. */
  readonly isSecure?: true;
  /** By which the proxy knows the connection: printable characters, at most 128. */
  readonly id?: string;
}

const CHECKSUM = 0x03;
const ID = 0x05;
const TLS = 0x20;

/** In the field of TLS: the client came by TLS. */
const BY_TLS = 0x01;

/** In that field, how many octets stand before the fields inside. */
const TLS_START = 5;

/**
 * @param header all octets of a header.
 * @param start where the first field begins.
 * @returns what is wrong, where something is.
 */
export function fieldsIn(header: Buffer, start: number): ProxyFields | string {
  const found: { isSecure?: true; id?: string } = {};
  let sums = 0;
  const isWhole = eachField(header, start, (type, at, end) => {
    const value = header.subarray(at, end);
    if (type === CHECKSUM) return ++sums === 1 && value.length === 4 && value.readUInt32BE() === checksumOf(header, at);
    if (type === ID) found.id = value.toString('latin1', 0, 128).replace(/[^!-~]/g, '?');
    if (type !== TLS) return true;
    if (((value[0] ?? 0) & BY_TLS) !== 0) found.isSecure = true;
    return value.length >= TLS_START && eachField(value, TLS_START, () => true);
  });
  return isWhole ? found : 'fields that do not fit, or a wrong checksum';
}

/** @param look whether a field is well. @returns whether all are, and end where the octets do. */
function eachField(octets: Buffer, start: number, look: (type: number, at: number, end: number) => boolean): boolean {
  let at = start;
  while (at < octets.length) {
    if (at + 3 > octets.length) return false;
    const [type, value] = [octets.readUInt8(at), at + 3];
    at = value + octets.readUInt16BE(at + 1);
    if (at > octets.length || !look(type, value, at)) return false;
  }
  return true;
}

/** @returns the CRC32c of the header. @param at where it stands itself, in four octets, which count as zeros. */
function checksumOf(header: Buffer, at: number): number {
  let sum = 0xffffffff;
  for (const [index, octet] of header.entries()) {
    sum ^= index >= at && index < at + 4 ? 0 : octet;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  }
  return ~sum >>> 0;
}
