import type { Task } from '../../src/runtime/supervisor.ts';

/** Runs a task until `stop`; `ready` tells whether it has said that it is. */
export class RunningTask {
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  ready = 0;

  constructor(task: Task) {
    this.#ended = task.run(this.#stop.signal, () => this.ready++);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}
