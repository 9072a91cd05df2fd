/**
 * A worker thread that starts and then dies at its first job.
 *
 * @param how JavaScript that ends the thread.
 */
export function dyingWorkerUrl(how = 'process.exit(3)'): URL {
  const source = `
    import { parentPort } from 'node:worker_threads';
    parentPort.postMessage({ kind: 'ready' });
    parentPort.on('message', () => { ${how}; });`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}
