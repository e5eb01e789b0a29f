/**
 * `cgi`: each request runs a script of a directory (RFC 3875).
 *
 *     path -> no script: 404; one that would speak HTTP itself: 403 -> a chunked body is read (`http/bodies.ts`)
 *          -> too many run already: 503 -> its process (`run.ts`), with an environment of its own (`environment.ts`)
 *
 * A body with a length goes to the script as it comes.
 */
import path from 'node:path';
import { sendStatus } from '../../http/answer.js';
import { BodyReader } from '../../http/bodies.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import { RepeatedLog } from '../../log/repeated.js';
import { startProcess } from '../../system/process/supervised.js';
import type { ProcessCommand, SupervisedProcess } from '../../system/process/supervised.js';
import { Warden } from '../../system/process/warden.js';
import { RefusalLog } from '../../transport/refusal.js';
import type { Refusal } from '../../transport/refusal.js';
import type { WebServiceDeps } from '../service.js';
import { scriptEnvironment } from './environment.js';
import { Run } from './run.js';
import type { RunReport, ScriptInput } from './run.js';
import type { CgiConfig } from './schema.js';
import { Scripts } from './scripts.js';
import type { Script } from './scripts.js';

/** Of a body without a length: a script has to know it first. */
const MAX_CHUNKED_BYTES = 1_048_576;

/** The default name is kept from scripts in any case: another port of the same host may have it. */
const COOKIE = 'cbtid';

class CgiService implements WebService {
  readonly methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  readonly #config: CgiConfig;
  readonly #deps: WebServiceDeps;
  readonly #scripts: Scripts;
  readonly #bodies: BodyReader;
  readonly #refusals: RefusalLog;
  readonly #repeated: RepeatedLog;
  readonly #cookieNames: ReadonlySet<string>;
  readonly #runs = new Set<Run>();
  /** When those are over that run, and those that are being started. */
  readonly #work = new Set<Promise<void>>();
  #isStopped = false;
  #warden: Warden | undefined;

  constructor(config: CgiConfig, deps: WebServiceDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#scripts = new Scripts(config.directory, deps.privatePaths);
    const timeoutMs = this.#timeoutMs;
    this.#bodies = new BodyReader({ maxBytes: MAX_CHUNKED_BYTES, timeoutMs, mayBeEmpty: true }, deps);
    this.#refusals = new RefusalLog(deps.log);
    this.#repeated = new RepeatedLog(deps.log);
    const { cookies, cookieNames = [] } = deps;
    this.#cookieNames = new Set([COOKIE, ...cookieNames, ...(cookies === undefined ? [] : [cookies.config.name])]);
  }

  get #timeoutMs(): number {
    return this.#config.options.timeout * 1000;
  }

  async start(): Promise<void> {
    await this.#scripts.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const run of this.#runs) run.end();
    await Promise.all(this.#work);
    this.#bodies.end();
    this.#refusals.end();
    this.#repeated.end();
    // The one of the node is not ours to close.
    this.#warden?.close();
  }

  async handle(request: WebRequest, res: WebResponse): Promise<void> {
    const script = await this.#scripts.find(request.rest);
    if (hasLeft(res)) return;
    if (script === undefined) return sendStatus(res, 404, 'There is nothing here.');
    if (path.basename(script.file).startsWith('nph-') || script.name.includes('/nph-')) {
      return this.#refuse(request, res, SPEAKS_HTTP);
    }
    const input = await this.#inputOf(request, res);
    if (input === 'answered' || hasLeft(res)) return;
    if (this.#isStopped || this.#work.size >= this.#config.options.max_processes) {
      return this.#refuse(request, res, TOO_MANY);
    }
    const work = this.#run(script, input, request, res);
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    this.#work.add(settled);
    void settled.then(() => this.#work.delete(settled));
    return work;
  }

  /** @returns the input of the script, or that there is nothing left to do: the request was refused, or the client has left. */
  async #inputOf(request: WebRequest, res: WebResponse): Promise<ScriptInput | 'answered'> {
    const { headers } = request.req;
    if (headers['transfer-encoding'] !== undefined) return (await this.#bodies.read(request, res)) ?? 'answered';
    if (Number(headers['content-length'] ?? 0) === 0) return undefined;
    return 'streamed';
  }

  async #run(script: Script, input: ScriptInput, request: WebRequest, res: WebResponse): Promise<void> {
    const { req } = request;
    const length = input === 'streamed' ? Number(req.headers['content-length']) : input?.length;
    let started: SupervisedProcess;
    try {
      started = await this.#start(script, request, length);
    } catch (err) {
      this.#repeated.say('error', { err, script: script.name }, 'CGI processor cannot be started');
      if (!res.closed) sendStatus(res, 500, 'The script cannot be run.');
      return;
    }
    if (input === 'streamed' && res.awaitsContinue && !res.closed) res.writeContinue();
    const run = new Run(started, req, res, this.#timeoutMs);
    this.#runs.add(run);
    if (this.#isStopped) run.end();
    this.#tell(script, await run.finish(input));
    this.#runs.delete(run);
  }

  #start(script: Script, request: WebRequest, length: number | undefined): Promise<SupervisedProcess> {
    const { programs } = this.#deps;
    const vars = this.#config.options.env;
    const env = scriptEnvironment(
      request,
      script,
      { own: programs?.env ?? {}, vars, cookieNames: this.#cookieNames },
      length,
    );
    const command: ProcessCommand = {
      ...{ file: this.#config.processor, arguments: [script.file], cwd: path.dirname(script.file), env },
      ...{ stdin: true, stdout: 'read' as const, stderr: 'read' as const, drainMs: this.#timeoutMs },
    };
    return startProcess(command, programs?.warden ?? this.#ownWarden());
  }

  #ownWarden(): Warden {
    this.#warden ??= new Warden((err) => this.#deps.log.warn({ err }, 'nobody watches the CGI scripts'));
    return this.#warden;
  }

  #tell({ name: script }: Script, { problem, stderr }: RunReport): void {
    const said = stderr === '' ? {} : { stderr };
    if (problem !== undefined) this.#repeated.say('error', { script, problem, ...said }, 'CGI script failed');
    else if (stderr !== '') this.#repeated.say('warn', { script, stderr }, 'CGI script wrote to its standard error');
  }

  #refuse({ req }: WebRequest, res: WebResponse, refusal: Refusal): void {
    this.#refusals.request(req, refusal);
    if (!req.complete) res.shouldKeepAlive = false;
    sendStatus(res, refusal.status, refusal.text, refusal.headers);
  }
}

/** A function, because it changes while something is waited for. */
function hasLeft(res: WebResponse): boolean {
  return res.closed;
}

const SPEAKS_HTTP: Refusal = {
  status: 403,
  text: 'Scripts that write the whole response themselves are not run.',
  kind: 'nph script',
  remedy: 'take "nph-" off the name of the script, and let it begin with "Status:" and "Content-Type:"',
};

const TOO_MANY: Refusal = {
  status: 503,
  text: 'Too many scripts are running.',
  kind: 'CGI processes',
  remedy: 'raise "max_processes" of the service, if the machine can bear it',
  headers: { 'Retry-After': '5' },
};

/** Options: see `schema.ts`. */
export function createCgi(config: CgiConfig, deps: WebServiceDeps): WebService {
  return new CgiService(config, deps);
}
