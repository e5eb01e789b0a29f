/**
 * What can go wrong around a node apart from its config: each is told in words, without a stack.
 */

export type NodeErrorCode =
  /** The node directory is missing or unusable. */
  | 'ERR_NODE_DIRECTORY'
  /** Another node runs on the same directory. */
  | 'ERR_NODE_RUNNING'
  /** The node that runs did not do what it was asked for. */
  | 'ERR_NODE_CONTROL'
  /** A cookie store could not do what it was asked for. */
  | 'ERR_NODE_COOKIES'
  /** The node was stopped: nobody can join it any more. */
  | 'ERR_NODE_STOPPED'
  /** A part of the node could not be started; `cause` says why. */
  | 'ERR_NODE_START';

/** The node cannot run; the message says which part and what to do. */
export class NodeError extends Error {
  override readonly name = 'NodeError';
  readonly code: NodeErrorCode;

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
