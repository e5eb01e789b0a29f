/** SUBACK and UNSUBACK of one connection: each when all that it answers is done, and in the order of the packets that they answer. */

interface Expected {
  awaited: number;
  readonly send: () => void;
}

export class Answers {
  readonly #expected: Expected[] = [];

  /**
   * @param parts how many parts the packet has, at least one
   * @param send sends the answer
   * @returns what is to be called for each part when it is done.
   */
  expect(parts: number, send: () => void): () => void {
    const expected: Expected = { awaited: parts, send };
    this.#expected.push(expected);
    return () => {
      expected.awaited -= 1;
      this.#flush();
    };
  }

  #flush(): void {
    for (let first = this.#expected[0]; first?.awaited === 0; first = this.#expected[0]) {
      this.#expected.shift();
      first.send();
    }
  }
}
