/** One at a time, in the order of arrival. */

export class Lane {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when everything that entered before it is done, however that went. */
  enter<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.last.then(work);
    this.last = mine.catch(() => undefined);
    return mine;
  }
}
