/**
 * Tells a page how far an upload is: WAMP events on the topic that it asked for, in the form of Crossbar.io. The session of the service
 * publishes them, so the permissions of its role decide. An upload does not fail because its progress cannot be told, except at
 * the beginning, when the page has asked for a topic that is not allowed.
 *
 *     started -> progress, after each piece of several -> finished
 */
import { CallError } from '../../client/api.js';
import { RepeatedLog } from '../../log/repeated.js';
import { messageOf } from '../../system/error.js';
import { ErrorUri } from '../../wamp/error.js';
import { RefusedUpload } from './refused-upload.js';
import type { ClientSession } from '../../client/api.js';
import type { Logger } from '../../log/logger.js';
import type { UploadFields } from './fields.js';

/** Publishes for a service; joins its realm when it is needed. */
export interface ProgressSession {
  /** @throws CallError (rejects) when there is no such realm or role. */
  open(): Promise<Pick<ClientSession, 'publish'>>;
}

/** How far an upload is. */
export interface Step {
  readonly status: 'started' | 'progress' | 'finished';
  /** In bytes. */
  readonly received: number;
  /** How the file is called; by default as the client wants it. */
  readonly name?: string;
}

/** Errors for which the page is to blame, because of the topic that it names. */
const NOT_ALLOWED: ReadonlySet<string> = new Set([
  ErrorUri.NOT_AUTHORIZED,
  ErrorUri.INVALID_URI,
  ErrorUri.INVALID_ARGUMENT,
]);

/** Tells the progress of the uploads of one service. */
export class Progress {
  readonly #session: ProgressSession;
  readonly #log: RepeatedLog;

  constructor(session: ProgressSession, log: Logger) {
    this.#session = session;
    this.#log = new RepeatedLog(log);
  }

  /** The first piece is about to come. @throws RefusedUpload (rejects) when the topic is not allowed. */
  async begin(fields: UploadFields): Promise<void> {
    const { topic } = fields;
    if (topic === undefined) return;
    try {
      await this.#publish(fields, topic, { status: 'started', received: 0 });
    } catch (error) {
      if (!(error instanceof CallError) || !NOT_ALLOWED.has(error.error)) return this.#failed(error, topic);
      throw new RefusedUpload({
        status: 400,
        text: 'progress may not be told on that topic',
        kind: 'permission for a topic of an upload',
        remedy: 'let the "role" of this upload publish to the topic, or let the page name another one',
        facts: { topic },
      });
    }
  }

  /** Never fails: what cannot be told is logged. */
  tell(fields: UploadFields, step: Step): void {
    const { topic } = fields;
    if (topic !== undefined)
      void this.#publish(fields, topic, step).catch((error: unknown) => this.#failed(error, topic));
  }

  /** Nothing more will be told. */
  end(): void {
    this.#log.end();
  }

  async #publish(fields: UploadFields, topic: string, step: Step): Promise<void> {
    const session = await this.#session.open();
    const options = fields.session === undefined ? {} : { eligible: [fields.session] };
    await session.publish(topic, [eventOf(fields, step)], {}, { acknowledge: true, ...options });
  }

  #failed(error: unknown, topic: string): void {
    this.#log.say('warn', { topic, reason: messageOf(error) }, 'progress of an upload cannot be told', 'progress');
  }
}

/** The keys are those of Crossbar.io. */
function eventOf(
  fields: UploadFields,
  { status, received, name = fields.name }: Step,
): Readonly<Record<string, unknown>> {
  const { identifier, chunk, total, chunkExtra = {}, finishExtra } = fields;
  return {
    ...{ id: identifier, chunk, name, total, status },
    remaining: total - received,
    progress: Math.round((received / total) * 1000) / 1000,
    chunk_extra: chunkExtra,
    ...(status === 'finished' && finishExtra !== undefined && { finish_extra: finishExtra }),
  };
}
