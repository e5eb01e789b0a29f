/**
 * One run of a script, from the start of its process to the end of what it has started. The output becomes the response as it comes, no
 * faster than the client takes it.
 *
 *     start -> header block -> body -> the output ends: the response is complete
 *                |              +-> too slow, or shorter than announced: the connection is cut
 *                +-> none, wrong, too large: 500; too slow: 504
 *     the client leaves, at any time: the process ends
 *
 * The end of a process is SIGTERM to its group, and SIGKILL to who is left two seconds later.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { sendStatus } from '../../http/answer.js';
import type { WebResponse } from '../../http/response.js';
import type { SupervisedProcess } from '../../system/process/supervised.js';
import { HeaderBlock, MAX_HEADER_BLOCK_BYTES, parseHead } from './header-block.js';
import type { ScriptHead } from './header-block.js';

/** What a script gets as its input. */
export type ScriptInput = Buffer | 'streamed' | undefined;

/** What is told of a run when it is over. */
export interface RunReport {
  /** Why the script is to blame; undefined when it is not. */
  readonly problem: string | undefined;
  /** The beginning of its standard error. */
  readonly stderr: string;
}

/** Who is asked to end has so long. */
const GRACE_MS = 2000;

const MAX_STDERR_BYTES = 4096;

/** One run. Call {@link Run.finish} once. */
export class Run {
  readonly #process: SupervisedProcess;
  readonly #req: IncomingMessage;
  readonly #res: WebResponse;
  readonly #timeoutMs: number;
  readonly #stderr: Buffer[] = [];
  #stderrBytes = 0;
  #isLate = false;
  /** The body of the request broke off, and the client was told. */
  #isBroken = false;
  #problem: string | undefined;

  constructor(started: SupervisedProcess, req: IncomingMessage, res: WebResponse, timeoutMs: number) {
    this.#process = started;
    this.#req = req;
    this.#res = res;
    this.#timeoutMs = timeoutMs;
  }

  /** Answers the request. @returns when nobody of the group is left; never rejects */
  async finish(input: ScriptInput): Promise<RunReport> {
    const late = setTimeout(() => {
      this.#isLate = true;
      this.end();
    }, this.#timeoutMs);
    const left = (): void => {
      if (!this.#res.hasLeft) this.end();
    };
    this.#res.once('close', left);
    // It may have left while the process was started.
    if (this.#res.closed) left();
    this.#listenToErrors();
    this.#feed(input);
    await this.#answer();
    // Nobody reads what is left.
    this.#process.stdout?.destroy();
    await this.#process.ended;
    clearTimeout(late);
    this.#res.off('close', left);
    return { problem: this.#problem, stderr: Buffer.concat(this.#stderr).toString() };
  }

  /** Ends the process, with all that it has started. */
  end(): void {
    void this.#process.end(GRACE_MS);
  }

  #listenToErrors(): void {
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      const kept = chunk.subarray(0, MAX_STDERR_BYTES - this.#stderrBytes);
      if (kept.length === 0) return;
      this.#stderr.push(Buffer.from(kept));
      this.#stderrBytes += kept.length;
    });
  }

  #feed(input: ScriptInput): void {
    const { stdin } = this.#process;
    if (stdin === undefined) return;
    if (input !== 'streamed') return void stdin.end(input);
    if (this.#res.requestError !== undefined) return this.#bodyBroke();
    this.#req.once('error', () => this.#bodyBroke());
    // A script that does not read it all is no error; the rest is dropped.
    stdin.once('close', () => {
      this.#req.unpipe(stdin);
      if (!this.#req.complete && !this.#res.headersSent) this.#res.shouldKeepAlive = false;
      this.#req.resume();
    });
    this.#req.pipe(stdin);
  }

  /** The rest of the body will not come: the script must not take what has come for all of it. */
  #bodyBroke(): void {
    this.end();
    if (this.#isGone) return;
    this.#isBroken = true;
    this.#res.shouldKeepAlive = false;
    if (this.#res.headersSent) this.#res.destroy();
    else sendStatus(this.#res, 400, 'The body of the request is not complete.');
  }

  async #answer(): Promise<void> {
    const { stdout } = this.#process;
    const body = stdout === undefined ? undefined : await this.#begin(stdout);
    if (body !== undefined && stdout !== undefined) await this.#pass(body, stdout);
  }

  /** Waits for the header block. @returns the body, as it has begun; undefined when the request has its answer */
  async #begin(stdout: Readable): Promise<{ readonly first: Buffer; readonly length: number | undefined } | undefined> {
    const collected = new HeaderBlock();
    for (let chunk = await next(stdout); chunk !== undefined; chunk = await next(stdout)) {
      const found = collected.add(chunk);
      if (found === undefined) continue;
      if (found === 'too large') return this.#blame(`its header has more than ${MAX_HEADER_BLOCK_BYTES} bytes`);
      const head = parseHead(found.block);
      if (typeof head === 'string') return this.#blame(head);
      if (this.#isGone) return undefined;
      this.#apply(head);
      return { first: found.body, length: head.length };
    }
    return this.#blame(await this.#silence());
  }

  /** Why there was no header. */
  async #silence(): Promise<string> {
    const { code, signal } = await this.#process.ended;
    if (this.#isLate) return `it had no header after ${this.#timeoutMs} ms`;
    return `it ended without a header (${signal ?? `exit code ${code}`})`;
  }

  #blame(problem: string): undefined {
    this.end();
    if (this.#isGone) return undefined;
    this.#problem = problem;
    const isTooLate = this.#isLate;
    sendStatus(this.#res, isTooLate ? 504 : 500, isTooLate ? 'The script took too long.' : 'The script failed.');
    return undefined;
  }

  get #isGone(): boolean {
    return this.#isBroken || this.#res.closed || this.#res.destroyed;
  }

  #apply({ status, headers }: ScriptHead): void {
    const res = this.#res;
    res.statusCode = status;
    const seen = new Set<string>();
    for (const [name, value] of headers) {
      const lower = name.toLowerCase();
      // What is there may be ours; cookies, and what caches must know, are put to it.
      if (seen.has(lower) || lower === 'set-cookie' || lower === 'vary') res.appendHeader(name, value);
      else res.setHeader(name, value);
      seen.add(lower);
    }
  }

  async #pass({ first, length }: { first: Buffer; length: number | undefined }, stdout: Readable): Promise<void> {
    const res = this.#res;
    let missing = length ?? Infinity;
    for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = await next(stdout)) {
      if (this.#isGone) continue;
      const part = chunk.subarray(0, Math.min(chunk.length, missing));
      missing -= part.length;
      if (part.length > 0 && !res.write(part)) await drained(res);
    }
    if (this.#isGone) return;
    const hasBody = this.#req.method !== 'HEAD' && res.statusCode !== 204 && res.statusCode !== 304;
    const isShort = length !== undefined && missing > 0 && hasBody;
    if (!this.#isLate && !isShort) return void res.end();
    // Half a response cannot be taken back; cutting the connection at least shows that it is half.
    this.#problem =
      isShort && !this.#isLate
        ? 'its body is shorter than its Content-Length'
        : `it took more than ${this.#timeoutMs} ms`;
    res.destroy();
  }
}

/** @returns the next chunk of a stream; undefined when it has ended, or was given up. */
async function next(stream: Readable): Promise<Buffer | undefined> {
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) return chunk;
    if (stream.readableEnded || stream.destroyed) return undefined;
    await anyOf(stream, ['readable', 'end', 'close', 'error']);
  }
}

function drained(res: WebResponse): Promise<void> {
  return res.closed ? Promise.resolve() : anyOf(res, ['drain', 'close']);
}

function anyOf(emitter: NodeJS.EventEmitter, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) emitter.off(event, done);
      resolve();
    };
    for (const event of events) emitter.on(event, done);
  });
}
