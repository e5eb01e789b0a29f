/**
 * Reads the handshake of a WebSocket without the HTTP server of Node.js, which takes a fifth of what a connection costs for it. Pure.
 *
 * It is no parser of HTTP: it knows one form, the one in which browsers and libraries write a handshake, and takes nothing else. What
 * could be read in two ways is left to the server, as all that it does not know: other methods and versions, lists of headers with one
 * name twice, folded lines, whitespace and octets at odd places, whatever tells of a body. A test compares both, octet by octet.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** The head of a handshake. */
export interface UpgradeHead {
  readonly url: string;
  /** As the HTTP server makes them: names in lower case, each with its value. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: string[];
  /** How many bytes it has; what follows was sent behind it. */
  readonly bytes: number;
}

const G = 0x47;
const END = '\r\n\r\n';
const LINE_END = '\r\n';
const BEFORE_TARGET = 'GET '.length;
const BEHIND_TARGET = ' HTTP/1.1'.length;

/** Request line and headers, each with its end. A target begins with its path and has no fragment. */
const HEAD = /^GET \/[!"$-~]* HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~\dA-Za-z]+:[ -~]*\r\n)+$/;

const WEBSOCKET = /^websocket$/i;
const CONNECTION = /^(?:keep-alive, ?)?upgrade(?:, ?keep-alive)?$/i;

/** Headers that mean something to the HTTP server. */
const OF_SERVER: ReadonlySet<string> = new Set([
  ...['content-length', 'transfer-encoding', 'trailer', 'te', 'expect'],
  ...['proxy-connection', 'keep-alive', 'set-cookie', 'http2-settings'],
]);

/**
 * @param chunk what came first on a connection.
 * @param maxBytes a head that is not shorter is left to the server.
 * @returns undefined when the chunk does not begin with the whole head of a handshake in the one form.
 */
export function readUpgradeHead(chunk: Buffer, maxBytes: number): UpgradeHead | undefined {
  if (chunk[0] !== G) return undefined;
  const end = chunk.indexOf(END);
  const bytes = end + END.length;
  if (end === -1 || bytes >= maxBytes) return undefined;
  const text = chunk.toString('latin1', 0, end + LINE_END.length);
  if (!HEAD.test(text)) return undefined;
  const lineEnd = text.indexOf(LINE_END);
  const headers: IncomingHttpHeaders = {};
  const rawHeaders = readHeaders(chunk, text, lineEnd + LINE_END.length, headers);
  if (rawHeaders === undefined || !isHandshake(headers)) return undefined;
  return { url: wordOf(chunk, text, BEFORE_TARGET, lineEnd - BEHIND_TARGET), headers, rawHeaders, bytes };
}

/**
 * @param text the beginning of the chunk, in the form of {@link HEAD}.
 * @returns undefined when the lines from `from` on are not for us; `headers` has got those before then.
 */
function readHeaders(chunk: Buffer, text: string, from: number, headers: IncomingHttpHeaders): string[] | undefined {
  const raw: string[] = [];
  for (let at = from; at < text.length;) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf(LINE_END, colon);
    const name = text.slice(at, colon);
    const key = name.toLowerCase();
    // Also a name that every object has.
    if (key in headers || OF_SERVER.has(key)) return undefined;
    const value = trimmed(chunk, text, colon + 1, end);
    headers[key] = value;
    raw.push(name, value);
    at = end + LINE_END.length;
  }
  return raw;
}

const SPACE = 0x20;

function trimmed(chunk: Buffer, text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && text.charCodeAt(start) === SPACE) start += 1;
  while (end > start && text.charCodeAt(end - 1) === SPACE) end -= 1;
  return wordOf(chunk, text, start, end);
}

/** Shorter parts of a text are copies. Longer ones keep the text in memory, all of it, as long as one of them is there. */
const COPIED_CHARACTERS = 12;

function wordOf(chunk: Buffer, text: string, from: number, to: number): string {
  return to - from <= COPIED_CHARACTERS ? text.slice(from, to) : chunk.toString('latin1', from, to);
}

function isHandshake({ host, upgrade = '', connection = '' }: IncomingHttpHeaders): boolean {
  return host !== undefined && WEBSOCKET.test(upgrade) && CONNECTION.test(connection);
}
