/** SUBACK and UNSUBACK of one connection: each when all that it answers is done, and in the order of the packets that they answer. */

interface Expected {
  awaited: number;
  readonly send: () => void;
}

/** An answer that is not complete. */
export interface Answer {
  /** One more part has to be done. */
  readonly more: () => void;
  /** To be called for each part when it is done; and once when there are no more. */
  readonly done: () => void;
}

export class Answers {
  readonly #expected: Expected[] = [];

  /** @param send sends the answer */
  expect(send: () => void): Answer {
    const expected: Expected = { awaited: 1, send };
    this.#expected.push(expected);
    return {
      more: () => void (expected.awaited += 1),
      done: () => {
        expected.awaited -= 1;
        this.#flush();
      },
    };
  }

  #flush(): void {
    for (let first = this.#expected[0]; first?.awaited === 0; first = this.#expected[0]) {
      this.#expected.shift();
      first.send();
    }
  }
}
