/** What `run` throws; fails the test if it throws nothing. */
export function thrownBy(run: () => unknown): unknown {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    return error;
  }
  throw new Error(`should have thrown, but returned ${JSON.stringify(result)}`);
}

/** What `promise` rejects with; fails the test if it does not reject. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`should have been rejected, but gave ${JSON.stringify(result)}`);
}
