/**
 * What a component host and the node say to each other: JSON objects, one a line, on file descriptor 3 of the host. What comes from
 * the host is checked here, once; its texts are cut to a length that a log can bear. No process and no socket.
 *
 *     node -> host   setup, first; level, when the level of the log changes; start, for every component, again after it has ended; stop
 *     host -> node   hello, or unusable; for every component joined, ready, and at last failed or left; log at any time
 */

/** Who a component is in its realm. */
export interface JoinedFacts {
  readonly session: number;
  readonly realm: string;
  readonly authid: string;
  readonly authrole: string;
}

/** Where a component failed on its way, and why. */
export interface ComponentFailure {
  /** `import`, `construct`, `connect`, `join`, `onJoin`; `process`, when the process of the host has ended. */
  readonly stage: string;
  /** One line. */
  readonly problem: string;
  /** The traceback, in lines. */
  readonly trace?: string;
}

/** How the session of a component ended that had joined. */
export interface ComponentLeft {
  readonly reason: string;
  /** False for a failure, such as a connection that was lost. */
  readonly clean: boolean;
}

/** A line for the log. */
export interface HostLogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly text: string;
  /** The logger that it was given to. */
  readonly logger?: string;
  readonly component?: string;
  readonly trace?: string;
}

/** Names and versions of what runs the components. */
export type HostVersions = Readonly<Record<string, string>>;

/** A message of the host. */
export type HostMessage =
  | { readonly type: 'hello'; readonly versions: HostVersions }
  | { readonly type: 'unusable'; readonly problem: string }
  | { readonly type: 'joined'; readonly component: string; readonly facts: JoinedFacts }
  | { readonly type: 'ready'; readonly component: string }
  | { readonly type: 'failed'; readonly component: string; readonly failure: ComponentFailure }
  | { readonly type: 'left'; readonly component: string; readonly end: ComponentLeft }
  | { readonly type: 'log'; readonly line: HostLogLine };

const MAX_TEXT = 8192;
const MAX_TRACE = 32_768;
const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

type Fields = Readonly<Record<string, unknown>>;

/** @returns what a line says; undefined when it is no message. */
export function parseHostMessage(line: string): HostMessage | undefined {
  const fields = fieldsOf(line);
  switch (fields?.['type']) {
    case 'hello':
      return { type: 'hello', versions: versionsOf(fields['versions']) };
    case 'unusable':
      return { type: 'unusable', problem: textOf(fields['problem']) };
    case 'log':
      return { type: 'log', line: logLineOf(fields) };
    default:
      return fields === undefined ? undefined : componentMessage(fields);
  }
}

function componentMessage(fields: Fields): HostMessage | undefined {
  const { type, component } = fields;
  if (typeof component !== 'string') return undefined;
  switch (type) {
    case 'joined':
      return { type, component, facts: joinedFacts(fields) };
    case 'ready':
      return { type, component };
    case 'failed':
      return {
        ...{ type, component },
        failure: { stage: textOf(fields['stage']), problem: textOf(fields['problem']), ...traceOf(fields) },
      };
    case 'left':
      return { type, component, end: { reason: textOf(fields['reason']), clean: fields['clean'] === true } };
    default:
      return undefined;
  }
}

function fieldsOf(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined; // the caller says what it thinks of it
  }
}

function joinedFacts(fields: Fields): JoinedFacts {
  const [realm, authid, authrole] = [textOf(fields['realm']), textOf(fields['authid']), textOf(fields['authrole'])];
  return { session: typeof fields['session'] === 'number' ? fields['session'] : 0, realm, authid, authrole };
}

function logLineOf(fields: Fields): HostLogLine {
  const { component, logger } = fields;
  return {
    level: LEVELS.find((level) => level === fields['level']) ?? 'info',
    text: textOf(fields['text']),
    ...(typeof logger === 'string' && { logger: textOf(logger) }),
    ...(typeof component === 'string' && { component: textOf(component) }),
    ...traceOf(fields),
  };
}

function versionsOf(value: unknown): HostVersions {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, version]) => [name, textOf(version)]));
}

function traceOf({ trace }: Fields): { trace?: string } {
  return typeof trace === 'string' && trace !== '' ? { trace: trace.slice(-MAX_TRACE) } : {};
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}
