/** One at a time, in the order of arrival. */

export class Lane {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when everything before it is done, unless that is later than `startBy`: then the answer is `late`. */
  enter<Result>(work: () => Promise<Result>, startBy: number, late: Result): Promise<Result> {
    const mine = this.last.then(() => (Date.now() > startBy ? late : work()));
    this.last = mine.catch(() => undefined);
    return mine;
  }
}
