const sliceMs = 8;

/**
 * Lets others have the event loop: awaited often, it pauses when the loop was held for 8 ms.
 *
 * @returns a function that returns nothing to wait for, or a pause
 */
export function createPause(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < sliceMs) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        since = performance.now();
        resolve();
      });
    });
  };
}
