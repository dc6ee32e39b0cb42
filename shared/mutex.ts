/** Mutual exclusion: one at a time, in the order of arrival. */

export class Mutex {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when everything that came before it is done, however that went. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.last.then(work);
    this.last = mine.catch(() => undefined);
    return mine;
  }
}
