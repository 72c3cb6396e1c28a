/** Questions that may wait: a few at a time, the latest first, for that is what is on the screen now. */

export class Turns {
  readonly #waiting: ((mine: boolean) => void)[] = [];
  #free: number;

  constructor(
    atOnce: number,
    private readonly mostWaiting: number,
  ) {
    this.#free = atOnce;
  }

  /** What *work* gives, when its turn comes; null where *mostWaiting* came after it before that, and it was left out. */
  async take<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#turn())) return null;
    try {
      return await work();
    } finally {
      const next = this.#waiting.pop();
      if (next) next(true);
      else this.#free += 1;
    }
  }

  #turn(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length > this.mostWaiting) this.#waiting.shift()!(false);
    });
  }
}
