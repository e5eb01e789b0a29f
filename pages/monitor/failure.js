/** Why something did not come about, in a sentence for people. */
export class Failure extends Error {
  /** `uri`: what the router said no with, if it did. `isLost`: there is no connection, so that it is worth another try. */
  constructor(text, { uri = '', isLost = false } = {}) {
    super(text);
    this.uri = uri;
    this.isLost = isLost;
  }
}
