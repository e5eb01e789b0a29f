/**
 * What a script says before the body (RFC 3875, section 6.3): lines that end with LF or CR LF, and an empty one. It is collected from
 * chunks, up to a size, and becomes a status and headers. Pure.
 */

/** As much as a request may have. */
export const MAX_HEADER_BLOCK_BYTES = 16 * 1024;

/** What a script has said. */
export interface ScriptHead {
  readonly status: number;
  /** In their order; a name may come again. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** How many bytes of body it announces. */
  readonly length: number | undefined;
}

/** Headers that belong to the connection, which is ours. */
const NOT_ITS_OWN = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'status'],
]);

/** Collects the block. */
export class HeaderBlock {
  #bytes: Buffer = Buffer.alloc(0);

  /**
   * @returns the block and the beginning of the body, when the block has ended; `too large`; undefined when more has to come.
   */
  add(chunk: Buffer): { readonly block: string; readonly body: Buffer } | 'too large' | undefined {
    // What was there may end in the middle of the end.
    const from = Math.max(0, this.#bytes.length - 3);
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const end = /\n\r?\n/.exec(this.#bytes.toString('latin1', from, MAX_HEADER_BLOCK_BYTES + 1));
    if (end !== null) {
      const at = from + end.index;
      return { block: this.#bytes.toString('latin1', 0, at), body: this.#bytes.subarray(at + end[0].length) };
    }
    return this.#bytes.length > MAX_HEADER_BLOCK_BYTES ? 'too large' : undefined;
  }
}

/** A name and a value, with the blanks around it: to tell them apart here would take a second for 16 KB of them. */
const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** @returns a text without the blanks of HTTP around it: 0xa0 is none. */
function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** @returns what is wrong, as a text. */
export function parseHead(block: string): ScriptHead | string {
  const headers: [name: string, value: string][] = [];
  for (const line of block.split('\n')) {
    const [, name, value = ''] = LINE.exec(line.replace(/\r$/, '')) ?? [];
    if (name === undefined) return /^HTTP\//.test(line) ? 'it speaks HTTP itself' : 'a line of its header is none';
    headers.push([name, trimmed(value)]);
  }
  const valueOf = (wanted: string): string | undefined => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const status = statusOf(valueOf('status'), valueOf('location'));
  const length = valueOf('content-length');
  if (status === undefined) return 'its Status is none';
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return 'its Content-Length is none';
  return {
    status,
    headers: headers.filter(([name]) => !NOT_ITS_OWN.has(name.toLowerCase())),
    length: length === undefined ? undefined : Number(length),
  };
}

function statusOf(line: string | undefined, location: string | undefined): number | undefined {
  if (line === undefined) return location === undefined ? 200 : 302;
  const status = Number(/^(\d{3})(?:\s|$)/.exec(line)?.[1]);
  return status >= 200 && status <= 599 ? status : undefined;
}
