import { Agent, request } from 'node:http';
import { measureMemory, type TrackingServer } from './launch.ts';

interface CreatedRun {
  readonly run: { readonly info: { readonly run_id: string } };
}

interface FoundRuns {
  readonly runs?: readonly { readonly info: { readonly run_id: string } }[];
}

/** A call without an answer by then fails. */
const timeoutMs = 120_000;

/** A call timed out. The server may still be working on it. */
export class NoAnswer extends Error {}

/** MLflow's REST API over one kept-alive connection, one request at a time. */
export class TrackingClient {
  readonly #server: TrackingServer;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(server: TrackingServer) {
    this.#server = server;
  }

  /** Resident memory of the server, in MB. */
  measureMemory(): number {
    return measureMemory(this.#server.pid);
  }

  async createRun(): Promise<string> {
    const { run } = (await this.#post('runs/create', {
      experiment_id: this.#server.experimentId,
      start_time: Date.now(),
      tags: [
        { key: 'mlflow.user', value: 'user' },
        { key: 'mlflow.source.name', value: 'train.py' },
      ],
    })) as CreatedRun;
    return run.info.run_id;
  }

  async logMetric(runId: string, key: string, step: number): Promise<void> {
    const point = { key, value: Math.sqrt(step), timestamp: 1_750_000_000_000 + step, step };
    await this.#post('runs/log-metric', { run_id: runId, ...point });
  }

  async logBatch(runId: string, metrics: readonly object[]): Promise<void> {
    await this.#post('runs/log-batch', { run_id: runId, metrics });
  }

  /** @returns the ids of a page of 100 runs */
  async search(filter: string, order: string): Promise<readonly string[]> {
    const { runs = [] } = (await this.#post('runs/search', {
      experiment_ids: [this.#server.experimentId],
      filter,
      order_by: [order],
      max_results: 100,
    })) as FoundRuns;
    return runs.map(({ info }) => info.run_id);
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(path: string, body: object): Promise<unknown> {
    const text = JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const url = `${this.#server.url}/api/2.0/mlflow/${path}`;
      const call = request(url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(JSON.parse(answer));
          else reject(new Error(`${path} answered ${response.statusCode}: ${answer.slice(0, 500)}`));
        });
      });
      call.setTimeout(timeoutMs, () =>
        call.destroy(new NoAnswer(`${path} was not answered in ${timeoutMs} ms`)),
      );
      call.on('error', reject);
      call.end(text);
    });
  }
}
