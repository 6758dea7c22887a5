import { startBroker, type BrokerOptions, type TestBroker } from './broker.js';

/** A broker that is started again whenever it has died. */
export class RestartedBroker implements AsyncDisposable {
  #broker: Promise<TestBroker>;
  #isOver = false;
  starts = 0;

  constructor(private readonly options: BrokerOptions) {
    this.#broker = this.#follow();
  }

  /** The one that runs, or that starts now. */
  get now(): Promise<TestBroker> {
    return this.#broker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await (await this.#broker)[Symbol.asyncDispose]();
  }

  async #follow(): Promise<TestBroker> {
    this.starts += 1;
    const broker = await startBroker(this.options);
    void broker.exited.then(() => {
      if (!this.#isOver) this.#broker = this.#follow();
    });
    return broker;
  }
}
